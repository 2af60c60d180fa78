package heap

// IDLength returns the number of bytes of an object's ID.
func (h *Fractal) IDLength() int { return h.idLength }
