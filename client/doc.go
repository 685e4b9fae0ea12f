// Package client is a client of the native protocol.
package client
