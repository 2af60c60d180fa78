package service

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// TLS returns a configuration with the certificates and the key in PEM files, and a function that reads the files again.
// Certificates are renewed while servers run: when one of the two files has changed they are read again, and a pair that can't
// be used does not replace the earlier one. clientCA names a file of authorities that must have signed a client's certificate;
// "" takes all clients.
func TLS(cert, key, clientCA string, m *Monitor) (c *tls.Config, reload func(), err error) {
	id := &identity{cert: cert, key: key}
	if id.files, err = watch(m, "certificate", id.read, cert, key); err != nil {
		return nil, nil, err
	}
	c = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: id.get}
	if clientCA != "" {
		ca, err := ReadFile(clientCA)
		if err != nil {
			return nil, nil, err
		}
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(ca) {
			return nil, nil, h5err.In(h5err.New(h5err.Argument, "it has no certificate"), clientCA, "")
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c, id.reload, nil
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
	*files
	pair atomic.Pointer[tls.Certificate]
}

// read reads the files.
func (i *identity) read() error {
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
	i.pair.Store(&pair)
	return nil
}

// get is a tls.Config's GetCertificate.
func (i *identity) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	i.look()
	return i.pair.Load(), nil
}
