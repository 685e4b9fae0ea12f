package config

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// load runs Load the way the command does: flags parsed from args, a file with this text ("" is no file), and the
// environment of the test.
func load(t *testing.T, file string, args ...string) (Config, []Setting, error) {
	t.Helper()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	fs.Usage = func() {}
	AddFlags(fs)
	if file != "" {
		path := filepath.Join(t.TempDir(), "test.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	if err := fs.Parse(args); err != nil {
		return Config{}, nil, err
	}
	return Load(Sources{Flags: fs, Environment: true})
}

func defaults(t *testing.T) Config {
	t.Helper()
	cfg, _, err := Load(Sources{})
	if err != nil {
		t.Fatalf("defaults do not load: %v", err)
	}
	return cfg
}

func TestDefaults(t *testing.T) {
	want := Config{
		Listen: []Listener{{Address: ":4000", Transport: Auto, Protocol: Auto}},
		Data:   "$XDG_STATE_HOME/udpchat", Durability: "synced", DurableRooms: []string{}, NATS: []string{}, ProxyTargets: []string{}, NATSReplicas: 3, StudentID: "udpchat", LabMode: "compat",
		Registration: true, Guests: true, LockDuration: time.Minute, GuestLife: 7 * 24 * time.Hour, FileQuota: 1 << 30,
		BroadcastRoom: "lobby", RelayAck: "sent", HashchatMode: "2014", HashchatUsers: []string{},
		IMTimeout: 10 * time.Minute, IMBlockDuration: time.Minute,
		OutboxBytes: 1 << 20, RoomsPerClientMax: 64, SessionsMax: 20000, AcceptPerSecond: 50, AcceptBurst: 200,
		RequestsPerSecond: 1000, RequestsBurst: 2000, ComeBackAfter: 2 * time.Second,
		IdleTimeout: time.Minute, PlainIdleTimeout: 5 * time.Minute, BatchIO: true, Redundancy: "latency", LogLevel: "info", LogFormat: "auto",
	}
	if diff := cmp.Diff(want, defaults(t)); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

// Every source is set to another value for the same key, and taken away one after the other.
func TestFlagWinsOverEnvironmentOverFileOverDefault(t *testing.T) {
	const file = "student_id: from-file\nsessions_max: 11\n"
	get := func(file string, args ...string) (string, string) {
		t.Helper()
		cfg, settings, err := load(t, file, args...)
		if err != nil {
			t.Fatalf("Load: %v", err)
		}
		for _, s := range settings {
			if s.Key == "student_id" {
				return cfg.StudentID, s.Source
			}
		}
		return cfg.StudentID, ""
	}
	check := func(value, source, wantValue, wantSource string) {
		t.Helper()
		if value != wantValue || !strings.HasPrefix(source, wantSource) {
			t.Errorf("got %q from %q, want %q from %q", value, source, wantValue, wantSource)
		}
	}
	t.Setenv("UDPCHAT_STUDENT_ID", "from-env")
	v, s := get(file, "--student-id", "from-flag")
	check(v, s, "from-flag", "flag --student-id")
	v, s = get(file)
	check(v, s, "from-env", "environment UDPCHAT_STUDENT_ID")
	t.Setenv("UDPCHAT_STUDENT_ID", "")
	v, s = get(file)
	check(v, s, "from-file", "file /")
	v, s = get("sessions_max: 11\n")
	check(v, s, "udpchat", "default")
}

func TestSameListenersFromEverySource(t *testing.T) {
	want := []Listener{
		{Address: ":4000", Transport: Auto, Protocol: Auto},
		{Address: "[::1]:4001", Transport: TCP, Protocol: Lab},
	}
	check := func(what string, cfg Config, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if diff := cmp.Diff(want, cfg.Listen); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	cfg, _, err := load(t, "", "--listen", ":4000", "--listen", "[::1]:4001/tcp/lab")
	check("two flags", cfg, err)
	cfg, _, err = load(t, "listen:\n  - :4000\n  - address: '[::1]:4001'\n    transport: tcp\n    protocol: lab\n")
	check("file with text and map", cfg, err)
	cfg, _, err = load(t, "listen: ':4000, [::1]:4001/tcp/lab'\n")
	check("file with one text", cfg, err)
	t.Setenv("UDPCHAT_LISTEN", ":4000 [::1]:4001/tcp/lab")
	cfg, _, err = load(t, "listen: [':9']\n")
	check("environment", cfg, err)
}

// Plain datagrams are lab messages: no other protocol has them, and a listener for one on every transport does without.
func TestOnlyLabGoesOverPlainDatagrams(t *testing.T) {
	cfg, _, err := load(t, "", "--listen", ":4000/auto/relay", "--listen", ":4001/plain/lab", "--listen", ":4002/auto/auto")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, true, true} {
		if got := cfg.Listen[i].Has(Plain); got != want {
			t.Errorf("%v has plain datagrams: %v", cfg.Listen[i], got)
		}
	}
	if l := cfg.Listen[0]; !l.Has(TCP) || !l.Has(UDP) {
		t.Errorf("%v lacks a transport", l)
	}
	for _, bad := range []string{":4000/plain/im", ":4000/tcp/gopher"} {
		if _, _, err := load(t, "", "--listen", bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestSamePatternsFromEverySource(t *testing.T) {
	want := []string{"lobby", "team-*", "a?b"}
	check := func(what string, cfg Config, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if diff := cmp.Diff(want, cfg.DurableRooms); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	cfg, _, err := load(t, "", "--durable-rooms", "lobby", "--durable-rooms", "team-*,a?b")
	check("two flags", cfg, err)
	cfg, _, err = load(t, "durable_rooms:\n  - lobby\n  - team-*\n  - a?b\n")
	check("file with a list", cfg, err)
	cfg, _, err = load(t, "durable_rooms: lobby team-* a?b\n")
	check("file with one text", cfg, err)
	t.Setenv("UDPCHAT_DURABLE_ROOMS", "lobby team-* a?b")
	cfg, _, err = load(t, "durable_rooms: [other]\n")
	check("environment", cfg, err)
}

func TestPasswordOfAServerIsNotShown(t *testing.T) {
	cfg, settings, err := load(t, "", "--nats", "nats://ann:secret@a:4222,tls://b")
	if err != nil || len(cfg.NATS) != 2 || cfg.NATS[0] != "nats://ann:secret@a:4222" {
		t.Fatalf("got %q, %v", cfg.NATS, err)
	}
	for _, s := range settings {
		if strings.Contains(s.Value, "secret") || s.Key == "nats" && s.Value != "nats://…@a:4222 tls://b" {
			t.Errorf("%s is shown as %q", s.Key, s.Value)
		}
	}
	t.Setenv("UDPCHAT_NATS", "http://ann:secret@a")
	if _, _, err = load(t, ""); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error is %v", err)
	}
}

func TestBadInputNamesKeyValueSourceAndRange(t *testing.T) {
	tests := []struct {
		name      string
		file, env string // env is NAME=VALUE.
		args      []string
		want      []string
	}{
		{"unknown key", "sesions_max: 5", "", nil, []string{"sesions_max", `"5"`, "file /", "did you mean sessions_max?"}},
		{"unknown nested key", "tcp:\n  port: 5", "", nil, []string{"tcp.port", "file /", "no such setting"}},
		{"unknown variable", "", "UDPCHAT_LISTN=:1", nil, []string{"UDPCHAT_LISTN", `":1"`, "environment", "did you mean UDPCHAT_LISTEN?"}},
		{"number too small in file", "sessions_max: 0", "", nil, []string{"sessions_max", `"0"`, "file /", "whole number from 1 to 1000000"}},
		{"fraction", "sessions_max: 1.5", "", nil, []string{"sessions_max", `"1.5"`, "whole number"}},
		{"number too large in variable", "", "UDPCHAT_OUTBOX_BYTES=9999999999999999999", nil, []string{"outbox_bytes", "environment UDPCHAT_OUTBOX_BYTES", "131072"}},
		{"no number in flag", "", "", []string{"--sessions-max", "many"}, []string{"sessions_max", `"many"`, "flag --sessions-max", "1 to 1000000"}},
		{"address with port", "advertise: 203.0.113.7:4000", "", nil, []string{"advertise", `"203.0.113.7:4000"`, "file /", "IP address or host name without port"}},
		{"no address", "", "UDPCHAT_ADVERTISE=300.1.2.3", nil, []string{"advertise", "environment UDPCHAT_ADVERTISE", "like 203.0.113.7"}},
		{"address of nobody", "", "", []string{"--advertise", "0.0.0.0"}, []string{"advertise", "flag --advertise"}},
		{"escape sequence in a host", `advertise: "a\e[2J"`, "", nil, []string{"advertise", `\x1b`}},
		{"wrong word", "lab_mode: lax", "", nil, []string{"lab_mode", `"lax"`, "one of compat, strict"}},
		{"wrong word in flag", "", "", []string{"--log-level=loud"}, []string{"log_level", `"loud"`, "debug, info, warn, error"}},
		{"duration without unit", "idle_timeout: 90", "", nil, []string{"idle_timeout", `"90"`, "with its unit from 10s to 24h"}},
		{"duration too long", "", "", []string{"--idle-timeout", "48h"}, []string{"idle_timeout", "10s to 24h"}},
		{"no bool", "allow_kill: maybe", "", nil, []string{"allow_kill", `"maybe"`, "true or false"}},
		{"text YAML reads as a number", "student_id: 0123", "", nil, []string{"student_id", "quotes"}},
		{"escape sequence in text", `student_id: "a\e[2J"`, "", nil, []string{"student_id", `\x1b`, "printable"}},
		{"long text", "student_id: " + strings.Repeat("x", 200), "", nil, []string{"student_id", "…", "1 to 64 bytes"}},
		{"key without value", "student_id:", "", nil, []string{"student_id", "no value"}},
		{"port alone", "", "", []string{"--listen", "4000"}, []string{"listen", `"4000"`, "flag --listen", ":PORT"}},
		{"port too large", "", "", []string{"--listen", ":70000"}, []string{"listen", "0 to 65535"}},
		{"unknown transport", "listen: [':4000/sctp']", "", nil, []string{"listen", "entry 1", "sctp", "auto, tcp, udp, plain"}},
		{"unknown protocol", "", "UDPCHAT_LISTEN=:4000/tcp/irc", nil, []string{"listen", "irc", "auto, lab"}},
		{"unknown key of a listener", "listen:\n - adress: ':1'", "", nil, []string{"listen", "adress", "address, transport, protocol"}},
		{"number as address", "listen: [4000]", "", nil, []string{"listen", "4000"}},
		{"no listener", "listen: []", "", nil, []string{"listen", "got 0 listeners"}},
		{"same port twice", "listen: [':1', ':1/udp']", "", nil, []string{"listen", "twice for UDP"}},
		{"too many listeners", "", "UDPCHAT_LISTEN=" + strings.Repeat(":0 ", 65), nil, []string{"listen", "65", "1 to 64"}},
		{"empty pattern", "durable_rooms: ['']", "", nil, []string{"durable_rooms", "entry 1", "like lobby team-*"}},
		{"number as pattern", "durable_rooms: [7]", "", nil, []string{"durable_rooms", "entry 1", "quotes"}},
		{"escape sequence in a pattern", `durable_rooms: ["a\e[2J"]`, "", nil, []string{"durable_rooms", "printable"}},
		{"too many patterns", "", "UDPCHAT_DURABLE_ROOMS=" + strings.Repeat("a ", 257), nil, []string{"durable_rooms", "257"}},
		{"server without scheme", "", "", []string{"--nats", "a:4222"}, []string{"nats", "server 1", "nats://a:4222"}},
		{"server without host", "nats: ['nats://a', 'nats://']", "", nil, []string{"nats", "server 2"}},
		{"web server", "", "UDPCHAT_NATS=http://a", nil, []string{"nats", "server 1"}},
		{"durability of the weather", "durability: sunny", "", nil, []string{"durability", "synced, fast, memory"}},
		{"not YAML", "a: b: c", "", nil, []string{"test.yaml", "yaml"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if name, value, ok := strings.Cut(tt.env, "="); ok {
				t.Setenv(name, value)
			}
			_, _, err := load(t, tt.file, tt.args...)
			if err == nil {
				t.Fatal("Load took it")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if strings.ContainsRune(err.Error(), '\x1b') {
				t.Errorf("error %q has an escape character", err)
			}
		})
	}
}

// A server behind address translation told its clients an address that none of them could reach.
func TestAdvertisedAddress(t *testing.T) {
	for text, want := range map[string]string{
		"203.0.113.7": "203.0.113.7", "2001:db8::7": "2001:db8::7", "::ffff:203.0.113.7": "203.0.113.7",
		"chat.example.org": "chat.example.org", "Node-1": "Node-1", "4chat": "4chat", "": "",
	} {
		if cfg, _, err := load(t, "", "--advertise", text); err != nil || cfg.Advertise != want {
			t.Errorf("flag %q: got %q, %v; want %q", text, cfg.Advertise, err, want)
		}
		if cfg, _, err := load(t, "advertise: \""+text+"\""); err != nil || cfg.Advertise != want {
			t.Errorf("file %q: got %q, %v; want %q", text, cfg.Advertise, err, want)
		}
	}
	for _, text := range []string{
		"1.2.3", "1.2.3.4.", ".org", "a..b", "-a", "a-", "a b", "a_b", "ä.org", "fe80::1%eth0", "::", "[::1]", "host:4000",
		strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a",
	} {
		if cfg, _, err := load(t, "", "--advertise", text); err == nil {
			t.Errorf("got %q for %q, want an error", cfg.Advertise, text)
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, _, err := load(t, "lab_mode: lax\nsessions_max: 0\nfoo: 1\n")
	e, ok := errors.AsType[*Error](err)
	if !ok || len(e.Problems) != 3 {
		t.Errorf("got %v, want an *Error with 3 problems", err)
	}
}

func TestMissingFileIsAnError(t *testing.T) {
	_, _, err := Load(Sources{File: filepath.Join(t.TempDir(), "none.yaml")})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want one that is os.ErrNotExist", err)
	}
}

func TestFileNamedByVariableAndFlag(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings") // Without .yaml.
	if err := os.WriteFile(path, []byte("sessions_max: 7"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("UDPCHAT_CONFIG", path)
	if cfg, _, err := load(t, ""); err != nil || cfg.SessionsMax != 7 {
		t.Errorf("by variable: sessions_max %d, %v; want 7", cfg.SessionsMax, err)
	}
	if cfg, _, err := load(t, "sessions_max: 8"); err != nil || cfg.SessionsMax != 8 {
		t.Errorf("flag over variable: sessions_max %d, %v; want 8", cfg.SessionsMax, err)
	}
}

func TestFlagNumberWithLeadingZeroIsDecimal(t *testing.T) {
	if cfg, _, err := load(t, "", "--sessions-max", "010"); err != nil || cfg.SessionsMax != 10 {
		t.Errorf("sessions_max 010 is %d, %v; want 10", cfg.SessionsMax, err)
	}
}

func TestBoolFlagNeedsNoValue(t *testing.T) {
	if cfg, _, err := load(t, "", "--allow-kill"); err != nil || !cfg.AllowKill {
		t.Errorf("allow_kill is %v, %v; want true", cfg.AllowKill, err)
	}
	if cfg, _, err := load(t, "allow_kill: true", "--allow-kill=false"); err != nil || cfg.AllowKill {
		t.Errorf("allow_kill is %v, %v; want false", cfg.AllowKill, err)
	}
}

// The written file must be valid as it is and with every setting's # taken away, and mean the defaults both times.
func TestTemplateMeansTheDefaults(t *testing.T) {
	commented := string(Template())
	active := regexp.MustCompile(`(?m)^#(\w+:)`).ReplaceAllString(commented, "$1")
	if commented == active {
		t.Fatal("no settings in the template")
	}
	for _, text := range []string{commented, active} {
		cfg, settings, err := load(t, text)
		if err != nil {
			t.Fatalf("template does not load: %v\n%s", err, text)
		}
		if diff := cmp.Diff(defaults(t), cfg); diff != "" {
			t.Errorf("template (-default +got):\n%s", diff)
		}
		for _, s := range settings {
			if fromFile := strings.HasPrefix(s.Source, "file "); fromFile != (text == active) {
				t.Errorf("%s comes from %s", s.Key, s.Source)
			}
		}
	}
}

func TestEverySettingIsDocumented(t *testing.T) {
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	AddFlags(fs)
	template := strings.ReplaceAll(string(Template()), "\n# ", " ") // Long lines are broken.
	for _, f := range fields() {
		if f.usage == "" || f.key == "" || f.def == "" && f.form == "" {
			t.Errorf("field %+v: key, default and usage must be there", f)
		}
		if flag := fs.Lookup(f.flag); flag == nil || !strings.Contains(flag.Usage, f.env) {
			t.Errorf("%s: no flag, or it does not name its variable", f.key)
		}
		for _, want := range []string{f.allowed(), f.env, "--" + f.flag} {
			if !strings.Contains(template, want) {
				t.Errorf("%s: template does not say %q", f.key, want)
			}
		}
	}
}

func FuzzListeners(f *testing.F) {
	for _, s := range []string{":4000", ":4000/tcp,[::1]:0/udp/lab", "a/b/c/d", "[", ":1 :1", "/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ls, err := listenersFrom(s)
		if err != nil {
			return
		}
		again, err := listenersFrom(format(ls))
		if err != nil || cmp.Diff(ls, again) != "" {
			t.Errorf("%q became %v, written %q, read %v, %v", s, ls, format(ls), again, err)
		}
	})
}
