package filter

import "fmt"

// entry is one filter of a known number.
type entry struct {
	id      uint16
	name    string
	compile func(values []uint32) (decoder, error) // nil: not implemented
}

// known are the filters of the library and those registered with The HDF Group, by number.
var known = [...]entry{
	{1, "deflate", newDeflate},
	{2, "shuffle", newShuffle},
	{3, "fletcher32", newFletcher32},
	{4, "szip", newSzip},
	{5, "nbit", newNbit},
	{6, "scaleoffset", newScaleoffset},
	{257, "hzip", nil},
	{258, "fpzip", nil},
	{305, "lzo", newLZO},
	{307, "bzip2", newBzip2},
	{32000, "lzf", newLZF},
	{32001, "blosc", newBlosc},
	{32002, "mafisc", nil},
	{32003, "snappy", nil},
	{32004, "lz4", newLZ4},
	{32005, "apax", nil},
	{32006, "cbf", nil},
	{32007, "jpeg-xr", nil},
	{32008, "bitshuffle", newBitshuffle},
	{32009, "spdp", nil},
	{32010, "lpc-rice", nil},
	{32011, "ccsds-123", nil},
	{32012, "jpeg-ls", nil},
	{32013, "zfp", nil},
	{32014, "fpzip", nil},
	{32015, "zstd", newZstd},
	{32016, "b3d", nil},
	{32017, "sz", nil},
	{32018, "fcidecomp", nil},
	{32019, "jpeg", nil},
	{32020, "vbz", nil},
	{32021, "fapec", nil},
	{32022, "bitgroom", newLossy},
	{32023, "granular bitround", newLossy},
	{32024, "sz3", nil},
	{32025, "delta-rice", nil},
	{32026, "blosc2", newBlosc2},
	{32027, "flac", nil},
	{32028, "sperr", nil},
	{32029, "terse/prolix", nil},
	{32030, "ffmpeg", nil},
	{32033, "htj2k", nil},
}

func lookup(id uint16) *entry {
	for i := range known {
		if known[i].id == id {
			return &known[i]
		}
	}
	return nil
}

// Name returns the name of a filter of the library or of a registered one, or "" for other numbers.
func Name(id uint16) string {
	if e := lookup(id); e != nil {
		return e.name
	}
	return ""
}

func nameOf(s *Spec) string {
	if n := Name(s.ID); n != "" {
		return n
	}
	if s.Name != "" {
		return fmt.Sprintf("%.64q", s.Name)
	}
	return "not registered"
}
