package output

import (
	"context"
	"errors"
	"io"
	"io/fs"
)

// Object is an object of a store that is being written.
type Object interface {
	io.Writer
	// Commit has the object appear.
	Commit(ctx context.Context) error
	// Abort ends the writing. Nothing appears, unless Commit has returned nil. It may be called at any time, several times.
	Abort()
}

// At returns the target of an object. create starts writing it; fs.ErrExist as the cause of an error, there or of Commit, says that it
// exists already.
func At(name string, create func(context.Context) (Object, error)) Target {
	return Target{path: name, create: create}
}

// object is an Object of a Set.
type object struct{ Object }

func (o object) abandon() { o.Abort() }

// writeObject is Write for an object.
func (s *Set) writeObject(ctx context.Context, t Target, fn func(io.Writer) error) error {
	made, err := t.create(ctx)
	if err != nil {
		return t.taken(err)
	}
	o := object{made}
	s.add(o)
	defer func() {
		o.Abort()
		s.mu.Lock()
		delete(s.open, o)
		s.mu.Unlock()
	}()
	if err := fn(o.Object); err != nil {
		return Named(err, t.path)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return t.taken(o.Commit(ctx))
}

// taken returns the error of an output that exists, if err is that.
func (t Target) taken(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return exists(t.path)
	}
	return err
}
