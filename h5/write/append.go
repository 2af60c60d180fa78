package write

// existing is the file that Append opened.
type existing struct{}

func (e *existing) close() {}
