//go:build amd64 && !purego

package inflate

import "golang.org/x/sys/cpu"

var hasBMI2 = cpu.X86.HasBMI2

// fast decodes symbols as block does, as far as it can be sure of room at both ends, and stops before whatever is not
// an ordinary symbol.
func (d *Decoder) fast(dst, src []byte, in, out int, buf uint64, have uint) (int, int, uint64, uint) {
	// In one turn it reads at most 22 bytes ahead, and writes at most a match, two literals, and 15 bytes too many.
	const readAhead, room = 32, longest + 32
	if !hasBMI2 || d.plain || in > len(src)-readAhead || out > len(dst)-room {
		return in, out, buf, have
	}
	state := [6]uint64{uint64(in), uint64(out), uint64(len(src) - readAhead), uint64(len(dst) - room), buf, uint64(have)}
	decodeBMI2(&d.lit[0], &d.dist[0], &dst[0], &src[0], &state)
	return int(state[0]), int(state[1]), state[4], uint(state[5])
}
