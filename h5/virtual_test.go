package h5

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

const (
	hexAll  = "03 00 00 00  01 00 00 00  00**8 "
	hexNone = "00 00 00 00  01 00 00 00  00**8 "
)

// box is a hyperslab of one dimension.
func box(start, stride, count, block uint64) Selection {
	return Selection{Blocks: []Hyperslab{{Start: []uint64{start}, Stride: []uint64{stride}, Count: []uint64{count}, Block: []uint64{block}}}}
}

var selectionCases = []struct {
	name, hex string
	want      Selection
}{
	{"all", hexAll, Selection{All: true}},
	{"none", hexNone, Selection{None: true}},
	{"version 1", `02 00 00 00 01 00 00 00  00**4 00**4 01 00 00 00  // reserved, length, rank
		02 00 00 00  01 00 00 00 03 00 00 00  05 00 00 00 05 00 00 00`, // two blocks: 1 to 3, 5
		Selection{Blocks: []Hyperslab{box(1, 1, 1, 3).Blocks[0], box(5, 1, 1, 1).Blocks[0]}}},
	{"version 2", `02 00 00 00 02 00 00 00  01  00**4 01 00 00 00    // regular
		01 00**7  04 00**7  03 00**7  02 00**7`, box(1, 4, 3, 2)},
	{"version 2, unlimited", "02 00 00 00 02 00 00 00  01  00**4 01 00 00 00  00**8 0a 00**7 ff**8 0a 00**7", box(0, 10, Unlimited, 10)},
	{"version 3, two bytes", "02 00 00 00 03 00 00 00  01 02 01 00 00 00  01 00 04 00 03 00 02 00", box(1, 4, 3, 2)},
	{"version 3, two bytes, unlimited", "02 00 00 00 03 00 00 00  01 02 01 00 00 00  01 00 01 00 01 00 ff ff", box(1, 1, 1, Unlimited)},
	{"version 3, four bytes", "02 00 00 00 03 00 00 00  01 04 01 00 00 00  01 00 00 00 04 00 00 00 03 00 00 00 02 00 00 00", box(1, 4, 3, 2)},
	{"version 3, eight bytes", "02 00 00 00 03 00 00 00  01 08 01 00 00 00  01 00**7 04 00**7 03 00**7 02 00**7", box(1, 4, 3, 2)},
	{"version 3, blocks", "02 00 00 00 03 00 00 00  00 02 01 00 00 00  01 00  03 00 03 00", box(3, 1, 1, 1)},
	{"version 3, blocks of two dimensions", "02 00 00 00 03 00 00 00  00 02 02 00 00 00  01 00  03 00 04 00 03 00 09 00", // starts, then ends
		Selection{Blocks: []Hyperslab{{Start: []uint64{3, 4}, Stride: []uint64{1, 1}, Count: []uint64{1, 1}, Block: []uint64{1, 6}}}}},
}

func TestParseSelection(t *testing.T) {
	for _, c := range selectionCases {
		f := parser(Limits{})
		b := hx(c.hex)
		cur := over(f, b)
		s := f.parseSelection(cur, -1)
		if cur.Err() != nil || !reflect.DeepEqual(s, c.want) || cur.Len() != 0 {
			t.Errorf("%s: %+v, %v", c.name, s, cur.Err())
		}
		for n := range b {
			cur := over(f, b[:n])
			if s := f.parseSelection(cur, -1); cur.Err() == nil {
				t.Errorf("%s: %d bytes of it are %+v", c.name, n, s)
			}
		}
	}
	const head3 = "02 00 00 00 03 00 00 00 "
	for _, c := range []struct {
		hex  string
		l    Limits
		kind h5err.Kind
		text string
	}{
		{"01 00 00 00", Limits{}, h5err.Unsupported, "a point selection"},
		{"04 00 00 00", Limits{}, h5err.Corrupt, "selection of kind 4"},
		{"02 00 00 00 00 00 00 00", Limits{}, h5err.Corrupt, "hyperslab selection version 0"},
		{"02 00 00 00 04 00 00 00", Limits{}, h5err.Corrupt, "hyperslab selection version 4"},
		{head3 + "01 03 01 00 00 00", Limits{}, h5err.Corrupt, "selection coordinates of 3 bytes"},
		{head3 + "01 02 00 00 00 00", Limits{}, h5err.Corrupt, "selection of rank 0"},
		{head3 + "01 02 02 00 00 00 00**16", Limits{}, h5err.Corrupt, "selection of rank 2"}, // 1 is expected
		{head3 + "01 02 01 00 00 00 00 00 00 00 02 00 01 00", Limits{}, h5err.Corrupt, "hyperslab with stride 0 and block 1"},
		{head3 + "01 02 01 00 00 00 00 00 01 00 02 00 00 00", Limits{}, h5err.Corrupt, "hyperslab with stride 1 and block 0"},
		{head3 + "00 02 01 00 00 00 ff ff 00 00 00 00", Limits{}, h5err.Corrupt, "65535 blocks of a selection in 4 bytes"},
		{head3 + "00 02 01 00 00 00 01 00 03 00 02 00", Limits{}, h5err.Corrupt, "a block of a selection from 3 to 2"},
		{head3 + "00 08 01 00 00 00 01 00**7 00**8 ff**8", Limits{}, h5err.Corrupt, "a block of a selection from 0 to 18446744073709551615"},
	} {
		f := parser(c.l)
		cur := over(f, hx(c.hex))
		f.parseSelection(cur, 1)
		needError(t, cur.Err(), c.kind, c.text, -1)
	}
	f := parser(Limits{Rank: 2})
	cur := over(f, hx(head3+"01 02 03 00 00 00"+strings.Repeat(" 00 00 01 00 01 00 01 00", 3)))
	f.parseSelection(cur, -1)
	needError(t, cur.Err(), h5err.Limit, "selection of rank 3, the limit is 2", -1)
	cur = over(f, hx(head3+"01 02 02 00 00 00"+strings.Repeat(" 00 00 01 00 ff ff 01 00", 2)))
	f.parseSelection(cur, -1)
	needError(t, cur.Err(), h5err.Corrupt, "hyperslab without an end in 2 dimensions", -1)
	many := cat(hx(head3+"00 04 01 00 00 00"), le(maxBlocks+1, 4), make([]byte, 8*(maxBlocks+1)))
	cur = over(f, many)
	f.parseSelection(cur, -1)
	needError(t, cur.Err(), h5err.Limit, "a selection of 1048577 blocks", -1)
}

var virtualCases = []struct {
	name, hex string
	want      []VirtualMapping
}{
	{"none", "00  00**8", []VirtualMapping{}},
	{"version 0", "00  02 00**7  'a.h5' 00 '/x' 00 " + hexAll + hexNone + " '.' 00 'y' 00 " + hexAll + hexAll, []VirtualMapping{
		{File: "a.h5", Dataset: "/x", Source: Selection{All: true}, Virtual: Selection{None: true}},
		{File: ".", Dataset: "y", Source: Selection{All: true}, Virtual: Selection{All: true}}}},
	{"version 1", "01  04 00**7" +
		" 00 'a.h5' 00 '/x' 00 " + hexAll + hexAll +
		" 01 00**8 '/y' 00 " + hexAll + hexAll + // the file of the first
		" 03 00**8 01 00**7 " + hexAll + hexAll + // and the dataset of the second
		" 04 '/z' 00 " + hexAll + hexAll, // this file
		[]VirtualMapping{
			{File: "a.h5", Dataset: "/x", Source: Selection{All: true}, Virtual: Selection{All: true}},
			{File: "a.h5", Dataset: "/y", Source: Selection{All: true}, Virtual: Selection{All: true}},
			{File: "a.h5", Dataset: "/y", Source: Selection{All: true}, Virtual: Selection{All: true}},
			{File: ".", Dataset: "/z", Source: Selection{All: true}, Virtual: Selection{All: true}}}},
}

func TestParseVirtual(t *testing.T) {
	for _, c := range virtualCases {
		f := parser(Limits{})
		b := hx(c.hex)
		var l Layout
		if err := f.parseVirtual(over(f, b), &l, 1); err != nil || !reflect.DeepEqual(l.Virtual, c.want) {
			t.Errorf("%s: %+v, %v", c.name, l.Virtual, err)
		}
		for n := range b {
			if err := f.parseVirtual(over(f, b[:n]), &l, 1); err == nil {
				t.Errorf("%s: %d bytes of it are %+v", c.name, n, l.Virtual)
			}
		}
	}
	long := fmt.Sprintf("%x", strings.Repeat("x", maxVirtualName+1))
	for _, c := range []struct {
		hex  string
		kind h5err.Kind
		text string
	}{
		{"02 00**8", h5err.Corrupt, "virtual mapping version 2"},
		{"00 ff**8", h5err.Corrupt, "18446744073709551615 virtual mappings in 0 bytes"},
		{"01 01 00**7 01 00**8 '/x' 00 " + hexAll + hexAll, h5err.Corrupt, "shares the file name of mapping 0"},
		{"01 01 00**7 02 'a' 00 00**8 " + hexAll + hexAll, h5err.Corrupt, "shares the dataset name of mapping 0"},
		{"00 01 00**7 " + long + " 00", h5err.Limit, "a name of 65537 bytes"},
		{"00 01 00**7 'a' 00 'b' 00 01 00 00 00 00**32", h5err.Unsupported, "a point selection in a virtual mapping"},
	} {
		f := parser(Limits{})
		var l Layout
		needError(t, f.parseVirtual(over(f, hx(c.hex)), &l, 1), c.kind, c.text, -1)
	}
}

// sel is a selection of one dimension, as it is stored.
func sel(start, stride, count, block uint64) []byte {
	return cat(hx("02 00 00 00 02 00 00 00 01 00**4 01 00 00 00"), le(start, 8), le(stride, 8), le(count, 8), le(block, 8))
}

type mapping struct {
	file, dataset string
	from, to      []byte
}

// virtual is a virtual dataset of one dimension that can grow.
func (w *builder) virtual(extent uint64, maps ...mapping) uint64 {
	b := cat([]byte{0}, le(uint64(len(maps)), 8))
	for _, m := range maps {
		b = append(b, cat([]byte(m.file), []byte{0}, []byte(m.dataset), []byte{0}, m.from, m.to)...)
	}
	heap := w.globalHeap(b)
	return w.dataset(cat(hx("02 01 01 01"), le(extent, 8), le(Unlimited, 8)),
		msg{typ: msgLayout, body: cat(hx("04 03"), w.addr(heap), le(1, 4))})
}

func TestMappings(t *testing.T) {
	all := hx(hexAll)
	const end = Unlimited
	for _, c := range []struct {
		name   string
		extent uint64
		maps   []mapping
		want   uint64   // extent
		got    []string // mappings
		kind   h5err.Kind
		text   string
	}{
		{"limited", 6, []mapping{{".", "a5", all, sel(0, 1, 1, 5)}, {".", "none", all, sel(5, 1, 1, 1)}}, 6, []string{"a5 * 0+5", "none * 5+1"}, 0, ""},
		{"follows its source", 6, []mapping{{".", "a5", sel(0, 1, end, 1), sel(0, 1, end, 1)}}, 5, []string{"a5 0+5 0+5"}, 0, ""},
		{"follows its source as one block", 6, []mapping{{".", "a5", sel(1, 1, 1, end), sel(2, 1, 1, end)}}, 6, []string{"a5 1+4 2+4"}, 0, ""},
		{"interleaved", 0, []mapping{{".", "a5", sel(0, 2, end, 1), sel(0, 2, end, 1)}, {".", "a3", sel(0, 1, end, 1), sel(1, 2, end, 1)}}, 6, []string{"a5 0,2,4+1 0,2,4+1", "a3 0+3 1,3,5+1"}, 0, ""},
		{"last block cut", 0, []mapping{{".", "a5", sel(0, 1, end, 1), sel(0, 4, end, 2)}}, 9, []string{"a5 0+5 0,4+2 8+1"}, 0, ""},
		{"source absent", 6, []mapping{{".", "none", sel(0, 1, end, 1), sel(0, 1, end, 1)}}, 0, nil, 0, ""},
		{"source file absent", 6, []mapping{{"none.h5", "a", sel(0, 1, end, 1), sel(0, 1, end, 1)}}, 0, nil, 0, ""},
		{"numbered", 0, []mapping{{".", "n%b", all, sel(0, 10, end, 10)}}, 30, []string{"n0 * 0+10", "n1 * 10+10", "n2 * 20+10"}, 0, ""},
		{"over a virtual one", 0, []mapping{{".", "v", sel(0, 1, end, 1), sel(0, 1, end, 1)}}, 8, []string{"v 0+8 0+8"}, 0, ""},
		{"percent", 6, []mapping{{".", "100%%", all, sel(0, 1, 1, 6)}}, 6, []string{"100% * 0+6"}, 0, ""},
		{"limited beyond the extent", 4, []mapping{{".", "a5", all, sel(0, 1, 1, 5)}}, 0, nil, h5err.Corrupt, "a virtual mapping ends at 5 in dimension 0 of extent 4"},
		{"limited beyond all", 4, []mapping{{".", "a5", all, sel(1<<63, 1, 1, 5)}}, 0, nil, h5err.Corrupt, "a virtual mapping ends beyond all extents"},
		{"unlimited source, limited", 6, []mapping{{".", "a5", sel(0, 1, end, 1), sel(0, 1, 1, 5)}}, 0, nil, h5err.Corrupt, "an unlimited selection of a source fills a limited one"},
		{"limited source, unlimited, no numbers", 6, []mapping{{".", "a5", all, sel(0, 1, end, 1)}}, 0, nil, h5err.Corrupt, "their names have no %b"},
		{"limited source, endless block", 6, []mapping{{".", "n%b", all, sel(0, 1, 1, end)}}, 0, nil, h5err.Corrupt, "has no blocks to number"},
		{"not a dataset", 6, []mapping{{".", "/", sel(0, 1, end, 1), sel(0, 1, end, 1)}}, 0, nil, h5err.Corrupt, "the source of a virtual dataset is not a dataset"},
		{"outside", 6, []mapping{{"../x.h5", "a", sel(0, 1, end, 1), sel(0, 1, end, 1)}}, 0, nil, h5err.Unsupported, "outside the file's directory"},
		{"its own source", 6, []mapping{{".", "d", sel(0, 1, end, 1), sel(0, 1, end, 1)}}, 0, nil, h5err.Corrupt, "a virtual dataset is its own source"},
		{"a source of another rank", 6, []mapping{{".", "two", sel(0, 1, end, 1), sel(0, 1, end, 1)}}, 0, nil, h5err.Corrupt, "an unlimited selection does not fit its dataset"},
		{"nested too deep", 6, []mapping{{".", "v9", sel(0, 1, end, 1), sel(0, 1, end, 1)}}, 0, nil, h5err.Limit, "more than 8 virtual datasets over one another"},
		{"blocks that overflow", 6, []mapping{{".", "n%b", all, sel(1<<62, 1<<62, end, 1)}}, 0, nil, h5err.Corrupt, "ends beyond all extents"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newBuilder()
			links := []msg{
				w.hard("a5", w.dataset(simple(5), unallocated)), w.hard("a3", w.dataset(simple(3), unallocated)), w.hard("two", w.dataset(simple(3, 2), unallocated)),
				w.hard("n0", w.dataset(simple(10), unallocated)), w.hard("n1", w.dataset(simple(10), unallocated)), w.hard("n2", w.dataset(simple(10), unallocated)), w.hard("n4", w.dataset(simple(10), unallocated)),
				w.hard("v", w.virtual(0, mapping{".", "a5", sel(0, 1, end, 1), sel(3, 1, end, 1)})),
				w.hard("v1", w.virtual(0, mapping{".", "a5", sel(0, 1, end, 1), sel(0, 1, end, 1)})),
			}
			for i := 2; i < 10; i++ {
				links = append(links, w.hard(fmt.Sprintf("v%d", i), w.virtual(0, mapping{".", fmt.Sprintf("v%d", i-1), sel(0, 1, end, 1), sel(0, 1, end, 1)})))
			}
			links = append(links, w.hard("d", w.virtual(c.extent, c.maps...)))
			p := filepath.Join(t.TempDir(), "virtual.h5")
			if err := os.WriteFile(p, w.single(links...), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := Open(p)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			d := lookup[*Dataset](t, f, "/d")
			extent, maps, err := d.Mappings()
			if c.kind != 0 {
				needError(t, err, c.kind, c.text, -1)
				if dims := d.Dims(); !reflect.DeepEqual(dims, d.Space().Dims) {
					t.Errorf("dimensions %v", dims)
				}
				return
			}
			if err != nil || len(extent) != 1 || extent[0] != c.want || d.Rows() != int64(c.want) {
				t.Fatalf("extent %v, %v; want %d", extent, err, c.want)
			}
			var got []string
			for _, m := range maps {
				got = append(got, m.Dataset+" "+describeSelection(&m.Source)+" "+describeSelection(&m.Virtual))
			}
			if !reflect.DeepEqual(got, c.got) {
				t.Errorf("mappings %q, want %q", got, c.got)
			}
		})
	}
}

// describeSelection writes a selection of one dimension as starts and the length of blocks.
func describeSelection(s *Selection) string {
	if s.All {
		return "*"
	}
	var out []string
	for i := range s.Blocks {
		b := &s.Blocks[i]
		block, count := b.Block[0], b.Count[0]
		if b.Stride[0] == block || count == 1 {
			block, count = block*count, 1
		}
		var starts []string
		for k := range count {
			starts = append(starts, fmt.Sprint(b.Start[0]+k*b.Stride[0]))
		}
		out = append(out, fmt.Sprintf("%s+%d", strings.Join(starts, ","), block))
	}
	return strings.Join(out, " ")
}

// TestMappingBomb has virtual datasets over one another whose mappings multiply.
func TestMappingBomb(t *testing.T) {
	w := newBuilder()
	links := []msg{w.hard("0", w.dataset(simple(5), unallocated))}
	for i := range 6 {
		var maps []mapping
		for range 40 {
			maps = append(maps, mapping{".", fmt.Sprint(i), sel(0, 1, Unlimited, 1), sel(0, 1, Unlimited, 1)})
		}
		links = append(links, w.hard(fmt.Sprint(i+1), w.virtual(0, maps...)))
	}
	f := openBytes(t, w.single(links...))
	if _, _, err := lookup[*Dataset](t, f, "/2").Mappings(); err != nil {
		t.Error(err)
	}
	_, _, err := lookup[*Dataset](t, f, "/6").Mappings()
	needError(t, err, h5err.Limit, "more than 65536 sources of a virtual dataset", -1)
}
