// Package session is what the C interface does, without C: handles, options and answers as JSON, and errors as JSON.
package session
