package h5

// TracksOrder reports whether Links is in creation order.
func (g *Group) TracksOrder() bool {
	g.Links()
	return g.ordered
}
