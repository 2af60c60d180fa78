package meta

// Limits bounds what a file may ask for. A zero field means the default. h5.Limits is this type.
type Limits struct {
	Nesting       int   // depth of datatypes, soft and external links followed for one path: 64
	Messages      int   // messages of one object header: 65,536
	AttributeSize int64 // bytes of one attribute's value: 64 MiB
	HeapObjects   int   // objects of one heap or entries of one group: 16,777,216
	Rank          int   // dimensions: 32
	Elements      int64 // elements of one dataset, stored or not: 2^48
	Chunks        int   // allocated chunks of one dataset: 67,108,864
	DecodedBytes  int64 // bytes of one decoded chunk: 4 GiB
	Links         int   // objects visited by one walk: 4,194,304
	Expansion     int64 // declared bytes of a dataset for each byte that is stored of it, beyond 16 MiB: not limited
}

func (l Limits) resolved() Limits {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def64 := func(p *int64, v int64) {
		if *p == 0 {
			*p = v
		}
	}
	def(&l.Nesting, 64)
	def(&l.Messages, 1<<16)
	def64(&l.AttributeSize, 64<<20)
	def(&l.HeapObjects, 1<<24)
	def(&l.Rank, 32)
	def64(&l.Elements, 1<<48)
	def(&l.Chunks, 1<<26)
	def64(&l.DecodedBytes, 4<<30)
	def(&l.Links, 1<<22)
	return l
}
