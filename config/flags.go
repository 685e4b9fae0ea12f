package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// fileFlag names the flag, and fileEnv the variable, that say which file to read; the file itself cannot.
const (
	fileFlag = "config"
	fileEnv  = envPrefix + "CONFIG"
)

// AddFlags adds one flag for each setting to fs, and --config for the file.
func AddFlags(fs *pflag.FlagSet) {
	fs.String(fileFlag, "", "read settings from this YAML `FILE`; 'udpchat config init' writes one ($"+fileEnv+")")
	for _, f := range fields() {
		usage := fmt.Sprintf("%s ($%s)", f.usage, f.env)
		flag := fs.VarPF(&flagValue{field: f, text: f.def}, f.flag, "", usage)
		if flag.Value.Type() == "bool" {
			flag.NoOptDefVal = "true"
		}
	}
}

// AddSomeFlags is AddFlags for a command that is about a few settings: only these flags, and --config, are shown. The others
// are taken, too, as the file and the environment may have them.
func AddSomeFlags(fs *pflag.FlagSet, shown ...string) {
	AddFlags(fs)
	fs.VisitAll(func(f *pflag.Flag) { f.Hidden = f.Name != fileFlag && !slices.Contains(shown, f.Name) })
}

// flagValue is a flag as text, checked when it is set so that the error names the flag and what is allowed.
type flagValue struct {
	field field
	text  string
	set   bool
}

func (v *flagValue) String() string { return v.text }

// Set takes the text of a flag. A list flag given again adds to the list.
func (v *flagValue) Set(text string) error {
	if v.set && v.Type() == "list" {
		text = v.text + " " + text
	}
	if _, err := v.field.convert(text); err != nil {
		return &Error{[]Problem{v.field.problem(text, "flag --"+v.field.flag, err)}}
	}
	v.text, v.set = text, true
	return nil
}

// Type is what --help calls the value and what viper goes by: it must not be "int", which viper reads with octal numbers.
func (v *flagValue) Type() string {
	switch {
	case v.field.typ.Kind() == reflect.Bool:
		return "bool" // Needs no value on the command line.
	case v.field.typ.Kind() == reflect.Slice:
		return "list"
	case v.field.typ.Kind() == reflect.Int:
		return "number"
	case v.field.typ == reflect.TypeFor[time.Duration]():
		return "duration"
	case v.field.choices != nil:
		return strings.Join(v.field.choices, "|")
	case v.field.form == "host", v.field.form == "hostport":
		return "host"
	default:
		return "text"
	}
}
