package h5

import (
	"strings"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

const signature = "\x89HDF\r\n\x1a\n"

// Superblock is a file's superblock (specification, II.A, "Disk Format: Level 0A - Format Signature and Superblock").
type Superblock struct {
	Version    int
	Offset     int64  // of the superblock in the file: the size of the user block
	OffsetSize int    // bytes of an address
	LengthSize int    // bytes of a length
	EndOfFile  int64  // absolute offset of the end of the file, as stored
	Flags      uint32 // file consistency flags

	root      uint64 // address of the root group's object header
	extension uint64
}

// OpenForWriting reports whether a writer has the file open, or did not close it.
func (s *Superblock) OpenForWriting() bool { return s.Version >= 3 && s.Flags&0x1 != 0 }

// findSuperblock looks for the signature at 0, 512, 1024, 2048, ... (II.A).
func findSuperblock(r *meta.Reader) (int64, error) {
	for at := int64(0); at >= 0 && at <= r.Size()-int64(len(signature)); {
		b, err := r.BytesAt(at, len(signature))
		if err != nil {
			return 0, err
		}
		if string(b) == signature {
			return at, nil
		}
		if at == 0 {
			at = 512
		} else {
			at *= 2
		}
	}
	return 0, notHDF5(r)
}

// formats are the first bytes of files that are given by mistake, and what to say of them.
var formats = []struct{ magic, name, hint string }{
	{"\x1f\x8b", "gzip data", "decompress it first"},
	{"BZh", "bzip2 data", "decompress it first"},
	{"\x28\xb5\x2f\xfd", "zstd data", "decompress it first"},
	{"\xfd7zXZ\x00", "xz data", "decompress it first"},
	{"PK\x03\x04", "a zip archive", "unpack it first"},
	{"ARROW1", "an Arrow IPC file", "it needs no conversion"},
	{"\xff\xff\xff\xff", "an Arrow IPC stream", "it needs no conversion"},
	{"PAR1", "a Parquet file", "engines read it as it is"},
	{"CDF\x01", "a netCDF-3 file", "convert it to netCDF-4 first"},
	{"CDF\x02", "a netCDF-3 file", "convert it to netCDF-4 first"},
	{"CDF\x05", "a netCDF-3 file", "convert it to netCDF-4 first"},
	{"\x0e\x03\x13\x01", "an HDF4 file", "convert it to HDF5 first"},
	{"SIMPLE  =", "a FITS file", "convert it first"},
	{"\x93NUMPY", "a NumPy file", "convert it first"},
	{"MATLAB 5.0", "a MATLAB file of a version before 7.3", "save it with -v7.3"},
}

// notHDF5 is the error of a file without the signature. It names what the file is instead, as far as that shows.
func notHDF5(r *meta.Reader) error {
	if r.Size() == 0 {
		return h5err.At(h5err.Corrupt, 0, "no HDF5 signature: the file is empty")
	}
	const longest = 16
	head, err := r.BytesAt(0, int(min(longest, r.Size())))
	if err != nil {
		return err
	}
	for _, f := range formats {
		if strings.HasPrefix(string(head), f.magic) {
			return h5err.At(h5err.Corrupt, 0, "no HDF5 signature: this is %s", f.name).WithHint("%s", f.hint)
		}
	}
	return h5err.At(h5err.Corrupt, 0, "no HDF5 signature: this is not an HDF5 file").
		WithHint("netCDF-3, CSV and other formats have to be converted first")
}

func readSuperblock(r *meta.Reader) (Superblock, error) {
	at, err := findSuperblock(r)
	if err != nil {
		return Superblock{}, err
	}
	s := Superblock{Offset: at}
	r.SetBase(at) // addresses are relative to the superblock, wherever the file was moved to
	room := r.Size() - at
	c := r.Cursor(0, int(min(room, 16)))
	c.Skip(len(signature))
	s.Version = int(c.U8())
	if c.Err() == nil && s.Version > 3 {
		return s, c.Unsupported("superblock version %d", s.Version)
	}
	if s.Version < 2 {
		c.Skip(4)
	}
	s.OffsetSize, s.LengthSize = int(c.U8()), int(c.U8())
	if c.Err() != nil {
		return s, c.Err()
	}
	for _, n := range []int{s.OffsetSize, s.LengthSize} {
		switch n {
		case 2, 4, 8, 16, 32:
		default:
			return s, c.Corrupt("size of offsets or lengths is %d", n)
		}
	}
	r.OffsetSize, r.LengthSize = s.OffsetSize, s.LengthSize
	var base, eof uint64
	if s.Version < 2 {
		base, eof, err = s.readOld(r)
	} else {
		base, eof, err = s.readNew(r)
	}
	if err != nil {
		return s, err
	}
	if eof < base || eof-base > uint64(1)<<62 {
		return s, h5err.At(h5err.Corrupt, at, "end-of-file address %#x", eof)
	}
	s.EndOfFile = at + int64(eof-base)
	return s, nil
}

// checkEnd fails for a file that was cut short. It comes after the check for data in several files.
func (s *Superblock) checkEnd(r *meta.Reader) error {
	if s.EndOfFile > r.Size() && !s.OpenForWriting() { // a writer may be about to lengthen it
		return h5err.At(h5err.Corrupt, r.Size(), "the file has %d bytes, its superblock says %d: it was cut short", r.Size(), s.EndOfFile)
	}
	return nil
}

// readOld reads versions 0 and 1 (II.A).
func (s *Superblock) readOld(r *meta.Reader) (base, eof uint64, err error) {
	n := 24 + 4*s.OffsetSize + s.LengthSize + s.OffsetSize + 24
	if s.Version == 1 {
		n += 4
	}
	c := r.Cursor(0, n)
	c.Skip(16)
	c.Skip(4) // group leaf and internal node K
	s.Flags = c.U32()
	if s.Version == 1 {
		c.Skip(4) // indexed storage K
	}
	base = c.Address()
	c.Address() // free-space information
	eof = c.Address()
	driver := c.Address()
	c.Skip(s.LengthSize) // root symbol table entry: link name offset
	s.root = c.Address()
	c.Skip(4 + 4 + 16) // cached data of the root group
	if c.Err() != nil {
		return 0, 0, c.Err()
	}
	r.Extent(0, uint64(n), "superblock")
	s.extension = meta.Undefined
	if driver != meta.Undefined {
		if err := checkDriver(r, driver); err != nil {
			return 0, 0, err
		}
	}
	return base, eof, nil
}

// checkDriver reads the driver information block of versions 0 and 1 (II.B).
func checkDriver(r *meta.Reader, addr uint64) error {
	c := r.Cursor(addr, 16)
	version := c.U8()
	c.Skip(3)
	n := c.U32()
	id := c.Bytes(8)
	if c.Err() != nil {
		return c.Err()
	}
	if version != 0 {
		return r.Corrupt(addr, "driver information block of version %d", version)
	}
	if _, err := r.FileOffset(addr, 16+uint64(n)); err != nil {
		return err
	}
	r.Extent(addr, 16+uint64(n), "driver information block")
	return oneFile(r, addr, id)
}

// oneFile refuses the drivers that spread data over several files (II.B, IV.A.2.u).
func oneFile(r *meta.Reader, addr uint64, driver []byte) error {
	switch string(driver) {
	case "NCSAmult":
		return r.Unsupported(addr, "the multi file driver: the data are in several files")
	case "NCSAfami":
		return r.Unsupported(addr, "the family file driver: the data are in several files")
	}
	return nil
}

// readNew reads versions 2 and 3 (II.A).
func (s *Superblock) readNew(r *meta.Reader) (base, eof uint64, err error) {
	c := r.Checked(0, 12+4*s.OffsetSize+4, "superblock")
	c.Skip(11)
	s.Flags = uint32(c.U8())
	base = c.Address()
	s.extension = c.Address()
	eof = c.Address()
	s.root = c.Address()
	if c.Err() == nil {
		r.Extent(0, uint64(12+4*s.OffsetSize+4), "superblock")
	}
	return base, eof, c.Err()
}

// readCacheImage refuses files whose metadata is in the image of a metadata cache and not in its place.
func (f *File) readCacheImage(m *message) error {
	c := f.r.CursorOver(m.body, m.at)
	c.Skip(1)
	addr, size := c.Address(), c.Length()
	if c.Err() != nil || addr == meta.Undefined || size == 0 {
		return c.Err()
	}
	return h5err.At(h5err.Unsupported, f.r.Base()+int64(m.at), "a metadata cache image: the metadata is not in its place").
		WithHint("h5clear -m, or opening the file for writing with libhdf5, moves it there")
}
