package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// Sources says where Load takes settings from, beside the defaults.
type Sources struct {
	Flags       *pflag.FlagSet // As AddFlags and Parse made it; nil: no flags.
	Environment bool           // Read UDPCHAT_… variables.
	File        string         // Path of the file; empty: what --config or UDPCHAT_CONFIG name, or none.
}

// A Setting is one value and where it came from, for people to read.
type Setting struct {
	Key, Value string
	Source     string // "default", "file PATH", "environment NAME" or "flag --NAME".
}

// Load reads all sources. On success it also returns every setting in the order of Config with its source. Problems
// with keys and values come as *Error, all of them at once.
func Load(src Sources) (Config, []Setting, error) {
	var cfg Config
	l := loader{src: src, path: src.File, v: viper.New(), file: viper.New(), fields: fields()}
	l.findFile()
	if err := l.readFile(); err != nil {
		return cfg, nil, err
	}
	l.unknown()
	settings := l.convert()
	if len(l.problems) > 0 {
		return cfg, nil, &Error{l.problems}
	}
	if err := l.v.UnmarshalExact(&cfg); err != nil {
		return cfg, nil, fmt.Errorf("config: %w", err)
	}
	return cfg, settings, nil
}

// A loader is one run of Load, in the order of its methods.
type loader struct {
	src      Sources
	path     string // The file; empty: none.
	v        *viper.Viper
	file     *viper.Viper // The file alone, to say where a value came from.
	fields   []field
	problems []Problem
}

// findFile asks the flag, then the environment, for the path of the file.
func (l *loader) findFile() {
	if l.path != "" {
		return
	}
	if l.src.Environment {
		l.path = os.Getenv(fileEnv)
	}
	if l.src.Flags != nil {
		if f := l.src.Flags.Lookup(fileFlag); f != nil && f.Changed {
			l.path = f.Value.String()
		}
	}
}

func (l *loader) readFile() error {
	if l.path == "" {
		return nil
	}
	for _, v := range []*viper.Viper{l.v, l.file} {
		v.SetConfigFile(l.path)
		v.SetConfigType("yaml") // Whatever the file is called.
		if err := v.ReadInConfig(); err != nil {
			return readError(l.path, err)
		}
	}
	return nil
}

// readError is err of reading the file at path: the file cannot be read, or is no YAML.
func readError(path string, err error) error {
	if bad, ok := errors.AsType[viper.ConfigParseError](err); ok {
		return fmt.Errorf("config: %s is no YAML: %w", path, errors.Unwrap(bad))
	}
	return fmt.Errorf("config: %w: %w", ErrUnreadable, err)
}

// unknown finds keys of the file and variables of the environment that no setting has.
func (l *loader) unknown() {
	var keys, envs []string
	for _, f := range l.fields {
		keys = append(keys, f.key)
		envs = append(envs, f.env)
	}
	found := l.file.AllKeys()
	slices.Sort(found)
	for _, key := range found {
		if !slices.Contains(keys, key) {
			l.addUnknown(key, l.file.Get(key), "file "+l.path, keys)
		}
	}
	if !l.src.Environment {
		return
	}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, envPrefix) && name != fileEnv && !slices.Contains(envs, name) {
			l.addUnknown(name, value, "environment", append(envs, fileEnv))
		}
	}
}

func (l *loader) addUnknown(key string, value any, source string, known []string) {
	p := Problem{Key: key, Value: shown(value), Source: source, Detail: "there is no such setting"}
	if n := nearest(key, known); n != "" {
		p.Detail += fmt.Sprintf(", did you mean %s?", n)
	}
	l.problems = append(l.problems, p)
}

// convert takes each setting from its best source, checks it, and puts the typed value where UnmarshalExact finds it.
func (l *loader) convert() []Setting {
	settings := make([]Setting, 0, len(l.fields))
	for _, f := range l.fields {
		l.v.SetDefault(f.key, f.def)
		source := l.bind(f)
		raw := l.v.Get(f.key)
		if strings.HasPrefix(source, "file ") {
			raw = l.file.Get(f.key) // nil for a key without a value, where l.v has the default.
		}
		val, err := f.convert(raw)
		if err != nil {
			l.problems = append(l.problems, f.problem(raw, source, err))
			continue
		}
		l.v.Set(f.key, val)
		settings = append(settings, Setting{Key: f.key, Value: format(val), Source: source})
	}
	return settings
}

// bind ties f to its flag and its variable and returns which source wins.
func (l *loader) bind(f field) string {
	if l.src.Flags != nil {
		if flag := l.src.Flags.Lookup(f.flag); flag != nil && flag.Changed {
			// It refuses only nil flags.
			_ = l.v.BindPFlag(f.key, flag)
			return "flag --" + f.flag
		}
	}
	if l.src.Environment && os.Getenv(f.env) != "" {
		// It refuses only an empty key.
		_ = l.v.BindEnv(f.key, f.env)
		return "environment " + f.env
	}
	if slices.Contains(l.file.AllKeys(), f.key) { // InConfig says no to a key without a value.
		return "file " + l.path
	}
	return "default"
}

// problem describes a value that convert refused.
func (f field) problem(raw any, source string, err error) Problem {
	p := Problem{Key: f.key, Value: shown(raw), Source: source, Want: f.allowed()}
	if f.form == "servers" {
		p.Value = withoutPassword(p.Value)
	}
	if !errors.Is(err, errNotAllowed) {
		p.Detail = err.Error()
	}
	return p
}
