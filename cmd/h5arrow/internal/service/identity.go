package service

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// TLS returns a configuration with the certificates and the key in PEM files. Certificates are renewed while servers run:
// when one of the two files has changed they are read again, and a pair that can't be used does not replace the earlier one.
// clientCA names a file of authorities that must have signed a client's certificate; "" takes all clients.
func TLS(cert, key, clientCA string, m *Monitor) (*tls.Config, error) {
	id := &identity{cert: cert, key: key, monitor: m}
	if err := id.load(); err != nil {
		return nil, err
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: id.get}
	if clientCA != "" {
		ca, err := ReadFile(clientCA)
		if err != nil {
			return nil, err
		}
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(ca) {
			return nil, h5err.In(h5err.New(h5err.Argument, "it has no certificate"), clientCA, "")
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c, nil
}

// ReadTokens reads the tokens of a file: one in each line. Empty lines, and those that start with #, are skipped.
func ReadTokens(name string) ([]string, error) {
	b, err := ReadFile(name)
	if err != nil {
		return nil, err
	}
	var tokens []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			tokens = append(tokens, line)
		}
	}
	if len(tokens) == 0 {
		return nil, h5err.In(h5err.New(h5err.Argument, "it has no token"), name, "")
	}
	return tokens, nil
}

// ReadFile reads a small file whole.
func ReadFile(name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, h5err.In(h5err.Wrap(h5err.IO, h5err.Cause(err), "can't read"), name, "")
	}
	return b, nil
}

// identity is a server's certificate and its key.
type identity struct {
	cert, key string
	monitor   *Monitor

	mu   sync.Mutex
	pair *tls.Certificate
	seen [2]stamp  // of the files that were read last
	next time.Time // when they are looked at again
}

// stamp shows whether a file has changed.
type stamp struct {
	changed time.Time
	size    int64
}

// renewal is the interval at which the files are checked.
const renewal = time.Second

func stampOf(name string) stamp {
	info, err := os.Stat(name)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

// load reads the files.
func (i *identity) load() error {
	i.seen = [2]stamp{stampOf(i.cert), stampOf(i.key)}
	cert, err := ReadFile(i.cert)
	if err != nil {
		return err
	}
	key, err := ReadFile(i.key)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return h5err.In(h5err.New(h5err.Argument, "this and %s are not a certificate and its key: %v", i.key, err), i.cert, "")
	}
	i.pair = &pair
	return nil
}

// get is a tls.Config's GetCertificate.
func (i *identity) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if now := time.Now(); now.After(i.next) {
		i.next = now.Add(renewal)
		if i.seen != [2]stamp{stampOf(i.cert), stampOf(i.key)} {
			if err := i.load(); err != nil {
				i.monitor.Event("certificate kept", "error", i.monitor.errorText(err))
			} else {
				i.monitor.Event("certificate renewed")
			}
		}
	}
	return i.pair, nil
}
