package deps

// A rule is what one package, or every package a pattern matches, may import besides the standard library.
type rule struct {
	pkg    string   // Path below the module; P stands for one path element, the same in ours; a final * for any one.
	ours   []string // Our packages it may import, as patterns; "..." is all of them.
	others []string // Packages of others, with everything below them.
	notStd []string // Packages of the standard library it may not import.
	tests  []string // What only its tests may import, besides testOurs and testOthers.
	why    string   // Why not more, printed with every violation.
}

// rules is the table of who may import whom. Order does not matter; exactly one rule must match each package.
var rules = []rule{
	{
		pkg: "config", others: []string{viper, pflag},
		why: "settings are text until cmd translates them; a package with a Config of its own needs no other",
	},

	// The datagram layer stands on its own: another program could use it.
	{
		pkg: "reliable/internal/wire",
		why: "what a datagram looks like is bytes and values, so that it can be fuzzed and written down without the rest",
	},
	{
		pkg: "reliable/internal/handshake", ours: []string{"reliable/internal/wire"},
		others: []string{"golang.org/x/crypto/chacha20poly1305"},
		why:    "cryptography is the standard library's; a second source of it would have to be reviewed as well",
	},
	{
		pkg: "reliable/internal/arq", ours: []string{"reliable/internal/planted"}, others: []string{kcp},
		why: "retransmission is one library behind a few methods, which can be replaced",
	},
	{
		pkg: "reliable/internal/fec", others: []string{reedsolomon},
		why: "parity is arithmetic over symbols; it knows neither packets nor retransmission",
	},
	{
		pkg: "reliable/internal/lane",
		why: "congestion control is arithmetic over times and bytes; it knows no packets and no clock",
	},
	{
		pkg: "reliable/internal/planted",
		why: "names of mistakes, which tests build into a connection",
	},
	{
		pkg: "reliable", ours: []string{"reliable/internal/*"}, others: []string{"golang.org/x/net"},
		why: "the transport knows nothing of chat; whoever needs connections over UDP can take it as it is",
	},
	{
		pkg: "reliable/message",
		why: "cutting a stream into messages works over any stream",
	},
	{
		pkg: "reliable/splice",
		why: "joining two connections works over any two",
	},
	{
		pkg: "reliable/plain",
		why: "plain datagrams are somebody else's socket seen as a net.Listener; it takes functions, not an endpoint",
	},
	{
		pkg: "reliable/netem",
		why: "a link emulator that knew what crosses it could not be trusted to be fair",
	},
	{
		pkg: "reliable/simulate", ours: []string{"reliable", "reliable/internal/*", "reliable/netem"},
		why: "the simulation runs the transport's own state machines on an emulated link and nothing else",
	},

	// The core and its ports.
	{
		pkg: "chat", ours: []string{"chat/names"}, notStd: []string{"net", "os", "encoding/json", "database"},
		why: "the core orders events; sockets, files and encodings of protocols are for others to know",
	},
	{
		pkg: "chat/names", others: []string{"golang.org/x/text"},
		why: "making names comparable is a function of text",
	},
	{
		pkg: "chat/passwd", others: []string{"golang.org/x/crypto"},
		why: "hashing passwords is a function of bytes",
	},
	{
		pkg: "chat/account", ours: []string{"chat", "chat/names", "chat/passwd"},
		why: "accounts are records in the engine; no protocol may matter to them",
	},
	{
		pkg: "chat/session",
		why: "a session is a connection with an outbox; it must not know what is in it",
	},
	{
		pkg: "chat/wire/P", notStd: []string{"net", "os", "encoding/json"},
		why: "a protocol's bytes and values: no I/O, no core, so that it can be fuzzed alone",
	},
	{
		pkg: "chat/wire/jsonchat", notStd: []string{"net", "os"},
		why: "a protocol's bytes and values: no I/O, no core, so that it can be fuzzed alone; this one is JSON",
	},
	{
		pkg: "chat/wire/native", notStd: []string{"net", "os", "encoding/json"}, others: []string{cbor},
		why: "a protocol's bytes and values: no I/O, no core, so that it can be fuzzed alone; this one is CBOR",
	},
	{
		pkg: "chat/wire/internal/wiretest", notStd: []string{"net", "os"},
		why: "tests of decoders feed them with it: it must not favour a protocol",
	},
	{
		pkg: "chat/front", ours: []string{"chat", "chat/session"},
		why: "what a protocol is must not depend on any of them",
	},
	{
		pkg: "chat/front/P", ours: []string{
			"chat", "chat/account", "chat/names", "chat/passwd", "chat/session", "chat/front", "chat/wire/P",
		},
		why: "a front-end speaks its own protocol and cannot tell TCP from UDP; passwords it takes go to accounts unread",
	},
	{
		pkg: "chat/front/internal/stage", ours: []string{"chat", "chat/session", "chat/account", "chat/front", "chat/passwd", "chat/store/memory"},
		why: "tests of front-ends play conversations on it: it must not favour one",
	},
	{
		pkg: "chat/front/native", ours: []string{
			"chat", "chat/account", "chat/passwd", "chat/session", "chat/front", "chat/wire/native", "reliable/message",
		},
		why: "a front-end speaks its own protocol and cannot tell TCP from UDP; native messages are length-delimited",
	},
	{
		pkg: "chat/front/carrier", ours: []string{
			"chat", "chat/session", "chat/front", "chat/wire/carrier", "reliable/splice",
		},
		why: "a front-end speaks its own protocol; this one joins streams to other services, which is bytes",
	},
	{
		pkg: "chat/server", ours: []string{"chat", "chat/session", "chat/front"}, others: []string{"golang.org/x/time/rate"},
		why: "it serves net.Listeners: TCP and UDP meet there and must look the same",
	},
	{
		pkg: "chat/store/enginetest", ours: []string{"chat"},
		why: "the suite every engine passes must not favour one",
	},
	{
		pkg: "chat/store/memory", ours: []string{"chat"},
		why: "an engine is a port of the core and knows only that",
	},
	{
		pkg: "chat/store/route", ours: []string{"chat"},
		why: "it sends rooms to one of two engines, whatever these are",
	},
	{
		pkg: "chat/store/sqlite", ours: []string{"chat"}, others: []string{sqlite},
		why: "an engine is a port of the core and knows only that",
	},
	{
		pkg: "chat/store/jetstream", ours: []string{"chat"}, others: []string{nats}, tests: []string{natsServer},
		why: "an engine is a port of the core and knows only that; the NATS server is a program of its own",
	},

	// Clients share wire formats with the server, never its code.
	{
		pkg: "client", ours: []string{"reliable", "reliable/message", "chat/wire/native"},
		why: "a client that used the server's code would not notice its mistakes",
	},
	{
		pkg: "client/lab", ours: []string{"reliable", "chat/wire/lab"},
		why: "a client that used the server's code would not notice its mistakes",
	},
	{
		pkg: "client/clean", others: []string{ansi},
		why: "the filter for text from strangers is a function of text",
	},
	{
		pkg: "client/tui", ours: []string{"client", "client/clean"}, others: []string{"charm.land"},
		why: "the interface is a pure function of what the client tells it",
	},

	// The commands know everybody.
	{
		pkg: "cmd/internal/compare", ours: []string{"..."}, others: append([]string{kcp, quic}, cmdOthers...),
		why: "it measures the competition, so it may import it, and nothing else may",
	},
	{
		pkg: "cmd/internal/compare/wirelane", ours: []string{"reliable/netem"},
		others: []string{"golang.org/x/sync", "golang.org/x/sys"},
		why:    "a wire that knew what crosses it could not be trusted to be fair",
	},
	{
		pkg: "cmd/internal/*", ours: []string{"..."}, others: cmdOthers,
		why: "tools of the command use the libraries agreed on",
	},
	{
		pkg: "cmd/udpchat", ours: []string{"..."}, others: []string{cobra, "golang.org/x/term"},
		why: "the command builds everything and does nothing: libraries belong to the packages that do the work",
	},
}

// Libraries by the name rules use.
const (
	ansi        = "github.com/charmbracelet/x/ansi"
	cbor        = "github.com/fxamacker/cbor/v2"
	cobra       = "github.com/spf13/cobra"
	kcp         = "github.com/xtaci/kcp-go/v5"
	nats        = "github.com/nats-io/nats.go"
	natsServer  = "github.com/nats-io/nats-server/v2"
	pflag       = "github.com/spf13/pflag"
	quic        = "github.com/quic-go/quic-go"
	reedsolomon = "github.com/klauspost/reedsolomon"
	sqlite      = "modernc.org/sqlite"
	viper       = "github.com/spf13/viper"
)

// cmdOthers is what the tools below cmd/internal may use: reports, progress, metrics, facts about the machine.
var cmdOthers = []string{
	"github.com/HdrHistogram/hdrhistogram-go",
	"github.com/dustin/go-humanize",
	"github.com/prometheus/client_golang",
	"github.com/schollz/progressbar/v3",
	"golang.org/x/sync",
	"golang.org/x/sys",
	"golang.org/x/term",
	"golang.org/x/time/rate",
}

// owners are libraries that exactly one package imports, tests included, so that one package has to change when the
// library does. cmd/internal/compare measures the competition and is excused.
var owners = map[string]string{
	kcp:                    "reliable/internal/arq",
	reedsolomon:            "reliable/internal/fec",
	sqlite:                 "chat/store/sqlite",
	nats:                   "chat/store/jetstream",
	"charm.land/bubbletea": "client/tui",
	"charm.land/bubbles":   "client/tui",
	"charm.land/lipgloss":  "client/tui",
	cobra:                  "cmd/udpchat",
	ansi:                   "client/clean",
	viper:                  "config",
}

// testOthers is what the tests of every package may import: tools for testing.
var testOthers = []string{
	"github.com/google/go-cmp",
	"github.com/rogpeppe/go-internal",
	"go.uber.org/goleak",
	"golang.org/x/sync",
	"pgregory.net/rapid",
}

// testOurs is which of our packages a test may import beyond its package's rule: its neighbours at both ends of a
// conversation, bad links and an engine. By the first path element of the importing package; cmd may import all anyway.
var testOurs = map[string][]string{
	"reliable": {"reliable", "reliable/..."},                                         // Never chat: the transport must stand alone.
	"chat":     {"chat", "chat/...", "reliable", "reliable/netem", "reliable/plain"}, // Never a client of ours.
	"client":   {"client", "client/...", "chat", "chat/...", "reliable", "reliable/netem", "reliable/plain"},
}
