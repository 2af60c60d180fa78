package far

import (
	"context"
	"slices"

	"github.com/h5arrow/h5arrow/cmd/internal/output"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Target looks at the place of an output, a path or the URL of an object, as output.Check does.
func (o *Opener) Target(name string, force bool, inputs []string) (output.Target, error) {
	s := scheme(name)
	switch {
	case s == "":
		return output.Check(name, force, inputs)
	case !inStore(s):
		return output.Target{}, h5err.In(h5err.New(h5err.Unsupported, "web servers are read only").WithHint("write to a file, or to an s3, gs or az URL"), Name(name), "")
	case slices.Contains(inputs, name):
		return output.Target{}, h5err.In(h5err.New(h5err.Argument, "the output is an input"), Name(name), "")
	}
	bucket, key, err := split(name)
	if err != nil {
		return output.Target{}, err
	}
	return output.At(Name(name), func(ctx context.Context) (output.Object, error) {
		opts, err := o.options()
		if err != nil {
			return nil, err
		}
		st, err := o.store(ctx, s, opts)
		if err != nil {
			return nil, h5err.In(err, Name(name), "")
		}
		u, err := st.Create(ctx, bucket, key, force)
		if err != nil {
			return nil, err
		}
		return u, nil
	}), nil
}
