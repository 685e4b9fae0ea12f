package config

import "time"

// Config is every setting of the server. The tags of a field are all there is to know about it:
//
//	mapstructure  the key in the file; flag and variable follow from it (student_id: --student-id, UDPCHAT_STUDENT_ID)
//	default       as text, in the form the environment uses
//	usage         one sentence, the same in --help and in the file; `backquotes` name the value in --help
//	range         least and greatest value, or length in bytes for text: "1..64"
//	choices       the words allowed: "a|b|c"
//	form          "host": an IP address or host name, or nothing; "hostport": the same with a port; "patterns": names with
//	              * and ? in them; "names": names; "servers": URLs of NATS servers; "file": a file's path, or nothing;
//	              "targets": NAME=HOST:PORT
type Config struct {
	Listen []Listener `mapstructure:"listen" default:":4000" usage:"where to listen: an 'ADDRESS', behind which /TRANSPORT and /PROTOCOL may stand; transport is auto (tcp, udp and plain on one port number), tcp, udp or plain; protocol is auto (told by the first bytes of each connection), lab, native, relay, jsonchat, im or hashchat"`

	Advertise string `mapstructure:"advertise" default:"" form:"host" usage:"the 'HOST' that HELO, JOINED and the invite show as the address of the server, for servers behind address translation (say 203.0.113.7); empty is the address each client reached"`

	Data         string   `mapstructure:"data" default:"$XDG_STATE_HOME/udpchat" range:"1..4096" usage:"the 'DIR' for what must survive the server: its private key, made on first start, and what it stores; $XDG_STATE_HOME is ~/.local/state where it is not set"`
	TLSCert      string   `mapstructure:"tls_cert" default:"" form:"file" range:"0..4096" usage:"a certificate of your own, in PEM, with those that vouch for it behind it, in 'FILE'; it takes the place of the key the server makes itself, on every transport: clients then pin the key in it, so keep that key when you renew it; needs tls_key"`
	TLSKey       string   `mapstructure:"tls_key" default:"" form:"file" range:"0..4096" usage:"the private key of tls_cert, in PEM, in 'FILE'"`
	Durability   string   `mapstructure:"durability" default:"synced" choices:"synced|fast|memory" usage:"when something counts as stored: synced when it is on the disk, fast when the operating system has it (losing power may lose the last moments), memory at once, and all is gone when the server ends"`
	DurableRooms []string `mapstructure:"durable_rooms" default:"" form:"patterns" usage:"rooms that the server remembers across restarts, by 'PATTERN': * stands for any text, ? for one character (write ? for a space); other rooms of the lab protocol forget"`

	NATS         []string `mapstructure:"nats" default:"" form:"servers" usage:"store everything in a NATS cluster with JetStream instead, which many servers can share: its servers, as 'URL's; durability is then up to them"`
	NATSReplicas int      `mapstructure:"nats_replicas" default:"3" range:"1..5" usage:"on how many servers of the NATS cluster everything is; 1 is for trying things out"`

	StudentID string `mapstructure:"student_id" default:"udpchat" range:"1..64" usage:"the StudentID that HELO is answered with"`
	LabMode   string `mapstructure:"lab_mode" default:"compat" choices:"compat|strict" usage:"lab protocol: compat is what its clients expect, strict is the document to the letter"`
	AllowKill bool   `mapstructure:"allow_kill" default:"false" usage:"let any lab client stop the server with KILL_SERVICE"`

	Registration bool          `mapstructure:"registration" default:"true" usage:"let anybody make an account; without it accounts come from udpchat credentials import only"`
	Guests       bool          `mapstructure:"guests" default:"true" usage:"let people in without a password, under a name that the server gives them"`
	UnicodeNames bool          `mapstructure:"unicode_names" default:"false" usage:"let names of new accounts have letters of any one script, not only ASCII"`
	LockDuration time.Duration `mapstructure:"lock_duration" default:"1m" range:"1s..24h" usage:"how long three wrong passwords lock an account for the network (IPv4 /24, IPv6 /56) they came from"`
	GuestLife    time.Duration `mapstructure:"guest_life" default:"168h" range:"1h..8760h" usage:"how long a guest is kept after its last log-in"`
	FileQuota    int           `mapstructure:"file_quota" default:"1073741824" range:"1..1099511627776" usage:"how many 'BYTES' of files one account may store; a guest a sixteenth of it"`

	BroadcastRoom string   `mapstructure:"broadcast_room" default:"lobby" range:"1..64" usage:"the 'ROOM' in which everybody is who comes by a protocol without rooms: what they say to all is said there"`
	RelayAck      string   `mapstructure:"relay_ack" default:"sent" choices:"sent|send" usage:"relay protocol: the word of an acknowledgement, SENT or SEND; clients disagree, and most take SENT"`
	HashchatMode  string   `mapstructure:"hashchat_mode" default:"2014" choices:"2014|2021" usage:"hashchat protocol: 2014 is how it began, 2021 has a number in every CLOSE, ends the connection after a mistake and may have a list of users"`
	HashchatUsers []string `mapstructure:"hashchat_users" default:"" form:"names" usage:"the only 'NAME's that may connect with hashchat_mode 2021; without any, all may"`
	HashchatCut   bool     `mapstructure:"hashchat_cut" default:"false" usage:"hashchat protocol: end a text at a # in it, as the first server did, instead of keeping it whole"`

	IMTimeout       time.Duration `mapstructure:"im_timeout" default:"10m" range:"5s..24h" usage:"instant messaging protocol: after this time without a command a user is logged out"`
	IMBlockDuration time.Duration `mapstructure:"im_block_duration" default:"1m" range:"1s..24h" usage:"instant messaging protocol: how long three wrong passwords lock a name, from wherever they came; it locks log-ins of this protocol only"`

	OutboxBytes       int `mapstructure:"outbox_bytes" default:"1048576" range:"131072..1073741824" usage:"how many 'BYTES' may wait for one member before it is cut off as too slow"`
	RoomsPerClientMax int `mapstructure:"rooms_per_client_max" default:"64" range:"1..10000" usage:"how many rooms one client may be in at a time"`
	SessionsMax       int `mapstructure:"sessions_max" default:"20000" range:"1..1000000" usage:"how many sessions the server holds at a time, over all listeners"`

	AcceptPerSecond   int `mapstructure:"accept_per_second" default:"50" range:"1..1000000" usage:"how many new sessions a second one network (IPv4 /24, IPv6 /56) may open on one listener; loopback is exempt"`
	AcceptBurst       int `mapstructure:"accept_burst" default:"200" range:"1..1000000" usage:"how many new sessions one network may open at once before accept_per_second limits it"`
	RequestsPerSecond int `mapstructure:"requests_per_second" default:"1000" range:"1..1000000" usage:"how many requests a second one connection may make; more are refused and not carried out"`
	RequestsBurst     int `mapstructure:"requests_burst" default:"2000" range:"1..1000000" usage:"how many requests one connection may make at once before requests_per_second limits it"`

	ComeBackAfter time.Duration `mapstructure:"come_back_after" default:"2s" range:"100ms..1h" usage:"how long clients of the native protocol are told to stay away when the server goes down"`
	ComeBackTo    string        `mapstructure:"come_back_to" default:"" form:"hostport" usage:"the other server, 'HOST:PORT', to which they are sent then; empty is here"`

	IdleTimeout      time.Duration `mapstructure:"idle_timeout" default:"1m" range:"10s..24h" usage:"after this time without a sign of life a reliable UDP peer counts as gone; living ones answer probes, however silent their users"`
	PlainIdleTimeout time.Duration `mapstructure:"plain_idle_timeout" default:"5m" range:"10s..24h" usage:"after this time without a datagram a plain UDP peer, which cannot be probed, counts as gone"`

	AlwaysCookie bool `mapstructure:"always_cookie" default:"false" usage:"have every new reliable UDP client prove its address first, at the price of a round trip; without it only while many are connecting at once"`

	ProxyTargets []string `mapstructure:"proxy_targets" default:"" form:"targets" usage:"services beside the server that udpchat proxy --target reaches by name over TCP, as 'NAME=HOST:PORT'; whoever reaches the server reaches them"`

	BatchIO bool `mapstructure:"batch_io" default:"true" usage:"send and receive many reliable UDP datagrams with one system call, where the system can; false is for systems on which that is broken"`

	Redundancy string `mapstructure:"redundancy" default:"latency" choices:"latency|economy|off" usage:"what reliable UDP sends beside the data so that losses need no asking back: latency as much as the measured loss deserves, economy one copy where there is loss, off nothing"`

	LogLevel  string `mapstructure:"log_level" default:"info" choices:"debug|info|warn|error" usage:"the least important log lines to write"`
	LogFormat string `mapstructure:"log_format" default:"auto" choices:"auto|text|json" usage:"log lines: auto is short on a terminal and text elsewhere, text is key=value, json is one object a line"`
}
