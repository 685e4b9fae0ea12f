// Package config is the settings of the server: one struct, Config, whose fields are at once the keys of the YAML file,
// the UDPCHAT_… environment variables, the command line flags and the documentation of all three.
//
// A flag wins over the environment, the environment over the file, the file over the default. Unknown keys and bad
// values are errors that name the key, the value, where it came from and what is allowed.
//
// To add a setting, add a field with its tags to Config and use it in cmd/udpchat/wire.go; nothing else changes.
// Each package has a Config of its own, and wire.go translates: no package but the command knows this one.
//
// Nothing here is safe for concurrent use, and nothing is kept between calls: there is no global instance, and a file
// is read once and not watched.
package config
