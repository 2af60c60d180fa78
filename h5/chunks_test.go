package h5

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/indextest"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// TestChunkFixtures reads the chunk indexes that libhdf5 wrote for the index packages through datasets.
func TestChunkFixtures(t *testing.T) {
	names := []string{"chunks_v1", "chunks_v2", "chunks_v2_filtered"}
	for _, kind := range []string{"fixed", "extensible"} {
		for i := range 3 {
			names = append(names, fmt.Sprintf("%s_%d", kind, i), fmt.Sprintf("%s_%d_filtered", kind, i))
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			b, want := indexFixture(t, name)
			f := openBytes(t, b)
			var d *Dataset
			if err := f.Walk(func(o Object) error {
				if x, ok := o.(*Dataset); ok {
					d = x
				}
				return nil
			}); err != nil || d == nil {
				t.Fatalf("no dataset; %v", err)
			}
			l, err := d.Layout()
			if err != nil {
				t.Fatal(err)
			}
			chunks, err := d.Chunks()
			if err != nil || len(chunks) != len(want.Chunks) {
				t.Fatalf("%d chunks, want %d; %v", len(chunks), len(want.Chunks), err)
			}
			g, _ := newGrid(d.Space().Dims, l.ChunkDims)
			at := map[uint64]indextest.Chunk{}
			for _, w := range want.Chunks {
				n := w.Number
				if w.Offset != nil {
					scaled := make([]uint64, len(w.Offset))
					for i := range scaled {
						scaled[i] = w.Offset[i] / l.ChunkDims[i]
					}
					n, _ = g.number(scaled)
				}
				at[n] = w
			}
			for i, c := range chunks {
				w := at[c.Number]
				if uint64(c.Offset) != w.Addr || uint64(c.Size) != w.Size || c.FilterMask != w.Mask {
					t.Errorf("chunk %+v, want %+v", c, w)
				}
				if i > 0 && chunks[i-1].Number >= c.Number {
					t.Errorf("chunk %d comes after %d", c.Number, chunks[i-1].Number)
				}
			}
			each := make([]Chunk, 0, len(chunks))
			err = d.EachChunk(func(c Chunk) error {
				each = append(each, c)
				return nil
			})
			slices.SortFunc(each, func(a, b Chunk) int { return cmp.Compare(a.Number, b.Number) })
			if err != nil || !slices.Equal(each, chunks) {
				t.Errorf("one by one there are other chunks: %d of them, %v", len(each), err)
			}
			stop := errors.New("stop")
			n := 0
			err = d.EachChunk(func(Chunk) error {
				if n++; n == min(3, len(chunks)) {
					return stop
				}
				return nil
			})
			if len(chunks) > 0 && (!errors.Is(err, stop) || n != min(3, len(chunks))) {
				t.Errorf("%d chunks, then %v", n, err)
			}
		})
	}
}

// chunkTree is a version 1 B-tree of one leaf for one dimension: places, stored sizes, addresses.
func (w *builder) chunkTree(entries ...[3]uint64) uint64 {
	b := cat([]byte("TREE\x01\x00"), le(uint64(len(entries)), 2), w.addr(meta.Undefined), w.addr(meta.Undefined))
	for _, e := range entries {
		b = append(b, cat(le(e[1], 4), le(0, 4), le(e[0], 8), le(0, 8), w.addr(e[2]))...)
	}
	return w.put(cat(b, le(0, 8), le(1<<40, 8), le(0, 8)))
}

const chunkedBTree = "03 02 02 $data 04 00 00 00 04 00 00 00"

var deflated = msg{typ: msgFilters, body: hx("02 01 01 00 00 00 01 00 06 00 00 00")}

// chunksByHand are datasets, and what their chunk indexes hold.
var chunksByHand = []struct {
	name  string
	space []byte
	make  func(w *builder) []msg
	l     Limits
	want  []Chunk // offsets from 256
	kind  h5err.Kind
	text  string
}{
	{"unallocated", simple(10), func(*builder) []msg { return []msg{layoutMessage(chunkedBTree, meta.Undefined)} }, Limits{}, nil, 0, ""},
	{"shape of 0", simple(0), func(*builder) []msg { return []msg{layoutMessage(chunkedBTree, 8)} }, Limits{}, nil, 0, ""},
	{"contiguous", simple(4), func(w *builder) []msg { return []msg{contiguous(w, make([]byte, 16))} }, Limits{}, nil, 0, ""},
	{"out of order, beyond the shape, missing", simple(10), func(w *builder) []msg {
		at := w.put(make([]byte, 64))
		return []msg{layoutMessage(chunkedBTree, w.chunkTree([3]uint64{8, 16, at}, [3]uint64{0, 16, at + 16}, [3]uint64{12, 16, at + 32}, [3]uint64{4, 16, meta.Undefined}))}
	}, Limits{}, []Chunk{{Number: 0, Offset: 16, Size: 16}, {Number: 2, Offset: 0, Size: 16}}, 0, ""},
	{"twice", simple(10), func(w *builder) []msg {
		at := w.put(make([]byte, 64))
		return []msg{layoutMessage(chunkedBTree, w.chunkTree([3]uint64{4, 16, at}, [3]uint64{4, 16, at + 16}))}
	}, Limits{}, nil, h5err.Corrupt, "the index names chunk 1 twice"},
	{"not on the grid", simple(10), func(w *builder) []msg {
		return []msg{layoutMessage(chunkedBTree, w.chunkTree([3]uint64{5, 16, w.put(make([]byte, 64))}))}
	}, Limits{}, nil, h5err.Corrupt, "a chunk at [5], chunks have the shape [4]"},
	{"too small", simple(10), func(w *builder) []msg {
		return []msg{layoutMessage(chunkedBTree, w.chunkTree([3]uint64{4, 15, w.put(make([]byte, 64))}))}
	}, Limits{}, nil, h5err.Corrupt, "chunk 1 has 15 bytes of 16"},
	{"small, but filtered", simple(10), func(w *builder) []msg {
		return []msg{deflated, layoutMessage(chunkedBTree, w.chunkTree([3]uint64{4, 15, w.put(make([]byte, 64))}))}
	}, Limits{}, []Chunk{{Number: 1, Offset: 0, Size: 15}}, 0, ""},
	{"outside", simple(10), func(w *builder) []msg {
		return []msg{layoutMessage(chunkedBTree, w.chunkTree([3]uint64{4, 16, 1 << 40}))}
	}, Limits{}, nil, h5err.Corrupt, "16 bytes at address 0x10000000000 are not inside the file"},
	{"broken filters", simple(10), func(w *builder) []msg {
		return []msg{{typ: msgFilters, body: hx("07 00")}, layoutMessage(chunkedBTree, w.chunkTree([3]uint64{4, 16, 256}))}
	}, Limits{}, nil, h5err.Corrupt, "filter pipeline version 7"},
	{"as many as the limit", simple(10), func(w *builder) []msg {
		at := w.put(make([]byte, 64))
		return []msg{layoutMessage(chunkedBTree, w.chunkTree([3]uint64{0, 16, at}, [3]uint64{4, 16, at + 16}))}
	}, Limits{Chunks: 2}, []Chunk{{Number: 0, Offset: 0, Size: 16}, {Number: 1, Offset: 16, Size: 16}}, 0, ""},
	{"more than the limit", simple(10), func(w *builder) []msg {
		at := w.put(make([]byte, 64))
		return []msg{layoutMessage(chunkedBTree, w.chunkTree([3]uint64{0, 16, at}, [3]uint64{4, 16, at + 16}))}
	}, Limits{Chunks: 1}, nil, h5err.Limit, "more than 1 chunks"},
	{"more decoded bytes than the limit", simple(10), func(*builder) []msg { return []msg{layoutMessage(chunkedBTree, meta.Undefined)} },
		Limits{DecodedBytes: 15}, nil, h5err.Limit, "chunks of 16 bytes, the limit is 15"},
	{"single", simple(3), func(w *builder) []msg {
		return []msg{layoutMessage("04 02 00 02 01 04 04 01 $data", w.put(make([]byte, 16)))}
	}, Limits{}, []Chunk{{Number: 0, Offset: 0, Size: 16}}, 0, ""},
	{"single, filtered", simple(3), func(w *builder) []msg {
		return []msg{deflated, layoutMessage("04 02 02 02 01 04 04 01 05 00**7 01 00 00 00 $data", w.put(make([]byte, 16)))}
	}, Limits{}, []Chunk{{Number: 0, Offset: 0, Size: 5, FilterMask: 1}}, 0, ""},
	{"single for a larger shape", simple(5), func(w *builder) []msg {
		return []msg{layoutMessage("04 02 00 02 01 04 04 01 $data", w.put(make([]byte, 16)))}
	}, Limits{}, nil, h5err.Corrupt, "one chunk of shape [4] for a shape of [5]"},
	{"implicit", simple(10), func(w *builder) []msg {
		return []msg{layoutMessage("04 02 00 02 01 04 04 02 $data", w.put(make([]byte, 48)))}
	}, Limits{}, []Chunk{{0, 0, 16, 0}, {1, 16, 16, 0}, {2, 32, 16, 0}}, 0, ""},
	{"implicit, one too many", simple(1 << 40), func(w *builder) []msg {
		return []msg{layoutMessage("04 02 00 02 01 04 04 02 $data", w.put(make([]byte, 32)))}
	}, Limits{}, nil, h5err.Corrupt, "not inside the file"},
	{"implicit, more than the limit", simple(10), func(w *builder) []msg {
		return []msg{layoutMessage("04 02 00 02 01 04 04 02 $data", w.put(make([]byte, 48)))}
	}, Limits{Chunks: 2}, nil, h5err.Limit, "more than 2 chunks"},
	{"implicit, unlimited", hx("02 01 01 01 0a 00**7 ff**8"), func(w *builder) []msg {
		return []msg{layoutMessage("04 02 00 02 01 04 04 02 $data", w.put(make([]byte, 48)))}
	}, Limits{}, nil, h5err.Corrupt, "dimension 0 has no limit"},
	{"extensible, limited", simple(10), func(w *builder) []msg {
		return []msg{layoutMessage("04 02 00 02 01 04 04 04 20 04 04 10 0a $data", 256)}
	}, Limits{}, nil, h5err.Corrupt, "an extensible array, but no dimension can grow"},
	{"extensible, two unlimited", hx("02 02 01 01 0a 00**7 0a 00**7 ff**16"), func(w *builder) []msg {
		return []msg{layoutMessage("04 02 00 03 01 04 04 04 04 20 04 04 10 0a $data", 256)}
	}, Limits{}, nil, h5err.Corrupt, "2 dimensions without a limit"},
	{"grid too large", simple(1<<40, 1<<40), func(w *builder) []msg {
		return []msg{layoutMessage("04 02 00 03 01 01 01 04 02 $data", 256)}
	}, Limits{}, nil, h5err.Limit, "shape [1099511627776 1099511627776] in chunks of [1 1]"},
}

func TestChunksByHand(t *testing.T) {
	for _, c := range chunksByHand {
		t.Run(c.name, func(t *testing.T) {
			w := newBuilder()
			d := openDataset(t, w, c.space, []Option{WithLimits(c.l)}, c.make(w)...)
			chunks, err := d.Chunks()
			if c.kind != 0 {
				needError(t, err, c.kind, c.text, -1)
				return
			}
			for i := range c.want {
				c.want[i].Offset += 256
			}
			if err != nil || len(chunks)+len(c.want) > 0 && !reflect.DeepEqual(chunks, c.want) {
				t.Errorf("chunks %+v, want %+v; %v", chunks, c.want, err)
			}
		})
	}
}

// TestSharedIndex has two datasets with one chunk index.
func TestSharedIndex(t *testing.T) {
	w := newBuilder()
	tree := w.chunkTree([3]uint64{0, 16, w.put(make([]byte, 64))})
	layout := layoutMessage("03 02 02 $data 04 00 00 00 04 00 00 00", tree)
	a, b := w.dataset(simple(4), layout), w.dataset(simple(4), layout)
	f := openBytes(t, w.single(w.hard("a", a), w.hard("b", b), w.hard("again", a)))
	if _, err := lookup[*Dataset](t, f, "/a").Chunks(); err != nil {
		t.Error(err)
	}
	if _, err := lookup[*Dataset](t, f, "/again").Chunks(); err != nil {
		t.Error(err)
	}
	_, err := lookup[*Dataset](t, f, "/b").Chunks()
	needError(t, err, h5err.Corrupt, fmt.Sprintf("this chunk index belongs to the objects at address %#x and at %#x", a, b), int64(tree))
}

func TestGrid(t *testing.T) {
	g, ok := newGrid([]uint64{5, 7, 1}, []uint64{2, 3, 4})
	if !ok || g.total != 9 {
		t.Fatalf("%+v, %v", g, ok)
	}
	scaled := make([]uint64, 3)
	for n := range g.total {
		g.scaled(n, scaled)
		if back, ok := g.number(scaled); !ok || back != n {
			t.Errorf("chunk %d is at %v, which is %d, %v", n, scaled, back, ok)
		}
	}
	for _, outside := range [][]uint64{{3, 0, 0}, {0, 3, 0}, {0, 0, 1}} {
		if n, ok := g.number(outside); ok {
			t.Errorf("%v is chunk %d", outside, n)
		}
	}
	if g, ok := newGrid([]uint64{1<<63 + 1, 1 << 62}, []uint64{1, 1}); ok {
		t.Errorf("%+v fits", g)
	}
}
