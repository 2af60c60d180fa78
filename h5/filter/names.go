package filter

import "fmt"

// lookup returns what compiles the client data of a filter, nil for one that is not implemented.
func lookup(id uint16) func(values []uint32) (decoder, error) {
	switch id {
	case 1:
		return newDeflate
	case 2:
		return newShuffle
	case 3:
		return newFletcher32
	case 32000:
		return newLZF
	case 32001:
		return newBlosc
	case 32004:
		return newLZ4
	case 32008:
		return newBitshuffle
	case 32015:
		return newZstd
	case 32022, 32023:
		return newLossy
	}
	return nil
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

// Name returns the name under which a filter is registered with The HDF Group, "" for a number without one.
func Name(id uint16) string {
	switch id {
	case 1:
		return "deflate"
	case 2:
		return "shuffle"
	case 3:
		return "fletcher32"
	case 4:
		return "szip"
	case 5:
		return "nbit"
	case 6:
		return "scaleoffset"
	case 305:
		return "lzo"
	case 307:
		return "bzip2"
	case 32000:
		return "lzf"
	case 32001:
		return "blosc"
	case 32004:
		return "lz4"
	case 32008:
		return "bitshuffle"
	case 32015:
		return "zstd"
	}
	return ""
}
