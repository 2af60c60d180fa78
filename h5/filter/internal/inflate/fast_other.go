//go:build !amd64 || purego

package inflate

const hasBMI2 = false

func (d *Decoder) fast(dst, src []byte, in, out int, buf uint64, have uint) (int, int, uint64, uint) {
	return in, out, buf, have
}
