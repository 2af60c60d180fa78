package parquet

import "sync"

// pieces is a buffer that grows without being moved. Its pieces are used again after release.
type pieces struct {
	list [][]byte
	n    int64
}

const pieceBytes = 1 << 20

var freePieces = sync.Pool{New: func() any { return new([pieceBytes]byte) }}

// Write implements io.Writer.
func (p *pieces) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		at := int(p.n % pieceBytes)
		k := int(p.n / pieceBytes)
		if k == len(p.list) {
			p.list = append(p.list, freePieces.Get().(*[pieceBytes]byte)[:])
		}
		n := copy(p.list[k][at:], rest)
		rest = rest[n:]
		p.n += int64(n)
	}
	return len(b), nil
}

// Tell returns how many bytes have been written.
func (p *pieces) Tell() int64 { return p.n }

// release empties the buffer.
func (p *pieces) release() {
	for _, b := range p.list {
		if len(b) == pieceBytes {
			freePieces.Put((*[pieceBytes]byte)(b))
		}
	}
	*p = pieces{}
}

// fit gives up a piece that is mostly empty. Nothing can be written any more.
func (p *pieces) fit() {
	if p.n < pieceBytes/2 {
		b, n := p.copy(0, p.n), p.n
		p.release()
		*p = pieces{[][]byte{b}, n}
	}
}

// each calls fn for the bytes from a up to b, piece by piece.
func (p *pieces) each(a, b int64, fn func([]byte) error) error {
	for a < b {
		at := a % pieceBytes
		part := p.list[a/pieceBytes][at:min(pieceBytes, at+b-a)]
		if err := fn(part); err != nil {
			return err
		}
		a += int64(len(part))
	}
	return nil
}

// copy returns a copy of the bytes from a up to b.
func (p *pieces) copy(a, b int64) []byte {
	out := make([]byte, 0, b-a)
	p.each(a, b, func(part []byte) error { // never fails
		out = append(out, part...)
		return nil
	})
	return out
}
