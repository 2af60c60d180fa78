package ipc

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/h5arrow/h5arrow/dtype/message"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// checked passes a stream of encapsulated messages on to arrow-go after checking their metadata, since arrow-go allocates
// what they claim. Offsets outside a message are not checked: they cause a panic that recovered returns.
type checked struct {
	r    io.Reader
	max  int64  // bytes of one message's metadata
	pos  int64  // of r
	head []byte // prefix and metadata that have not been passed on
	body int64  // bytes of the body that have not been passed on
	end  bool
}

// Read implements io.Reader.
func (c *checked) Read(p []byte) (n int, err error) {
	if len(c.head) == 0 && c.body == 0 {
		if c.end {
			return 0, io.EOF
		}
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	if len(c.head) > 0 {
		n = copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	n, err = c.r.Read(p[:min(int64(len(p)), c.body)])
	c.body -= int64(n)
	c.pos += int64(n)
	if err == io.EOF && c.body > 0 {
		err = h5err.At(h5err.Corrupt, c.pos, "cut short: %d bytes of a message are missing", c.body)
	}
	return n, err
}

// next reads the prefix and the metadata of a message.
func (c *checked) next() error {
	head := make([]byte, 8)
	n, err := io.ReadFull(c.r, head)
	if n == 0 || err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	if n < 4 {
		return h5err.At(h5err.Corrupt, c.pos, "cut short: a message of %d bytes", n)
	}
	const continuation = 0xffffffff
	size, start := int64(int32(binary.LittleEndian.Uint32(head))), 4 // before Arrow 0.15
	if binary.LittleEndian.Uint32(head) == continuation && n == 8 {
		size, start = int64(int32(binary.LittleEndian.Uint32(head[4:]))), 8
	}
	switch {
	case size == 0:
		c.head, c.end = head[:start], true
		return nil
	case size < 8 || size > c.max:
		return h5err.At(h5err.Corrupt, c.pos, "a message with metadata of %d bytes", size)
	}
	c.head = append(make([]byte, 0, start+int(size)), head[:n]...)[:start+int(size)]
	if _, err := io.ReadFull(c.r, c.head[n:]); err == io.EOF || err == io.ErrUnexpectedEOF {
		return h5err.At(h5err.Corrupt, c.pos, "cut short: the metadata of a message has %d bytes, some of which are missing", size)
	} else if err != nil {
		return err
	}
	err = recovered(func() error {
		c.body = message.Verify(c.head[start:])
		return nil
	})
	if err == nil && c.body < 0 {
		err = h5err.New(h5err.Corrupt, "a body of %d bytes", c.body)
	}
	if err != nil {
		c.body = 0
		var e *h5err.Error
		if errors.As(err, &e) && e.Kind == h5err.Unsupported {
			return h5err.At(e.Kind, c.pos, "%s", e.Msg)
		}
		return h5err.At(h5err.Corrupt, c.pos, "the metadata of a message is broken: %v", err)
	}
	c.pos += int64(len(c.head))
	return nil
}
