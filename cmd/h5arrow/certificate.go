package main

import (
	"crypto/tls"
	"os"
	"sync"
	"time"
)

// identity is a server's certificate and its key. Certificates are renewed while servers run: when one of the two files has
// changed they are read again, and what can't be used leaves the pair as it was.
type identity struct {
	cert, key string
	note      func(what string, args ...any)

	mu   sync.Mutex
	pair *tls.Certificate
	seen [2]stamp  // of the files that were read last
	next time.Time // when they are looked at again
}

// stamp tells whether a file is another one than before.
type stamp struct {
	changed time.Time
	size    int64
}

// renewal is how long a changed certificate may go unnoticed.
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
	cert, err := readInput(i.cert)
	if err != nil {
		return err
	}
	key, err := readInput(i.key)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return usageAt(i.cert, "this and "+i.key+" are no certificate and its key: "+err.Error())
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
				i.note("certificate kept", "error", errorText(err))
			} else {
				i.note("certificate renewed")
			}
		}
	}
	return i.pair, nil
}
