package flight

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

var kindCodes = map[h5err.Kind]codes.Code{
	h5err.Corrupt:     codes.DataLoss,
	h5err.Unsupported: codes.Unimplemented,
	h5err.Argument:    codes.InvalidArgument,
	h5err.NotFound:    codes.NotFound,
	h5err.IO:          codes.DataLoss,
	h5err.Memory:      codes.ResourceExhausted,
	h5err.Limit:       codes.ResourceExhausted,
}

// statusOf returns an error as clients see it: a code, and a message that does not show where the server's files are.
func (s *Server) statusOf(err error) error {
	var e *h5err.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		code, ok := kindCodes[e.Kind]
		if !ok {
			code = codes.Internal
		}
		return status.Error(code, s.catalog.Hide(e.Error()))
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, "the deadline of the call has passed")
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, "the call was canceled")
	}
	if st, ok := status.FromError(err); ok {
		return st.Err()
	}
	return status.Error(codes.Internal, s.catalog.Hide(err.Error()))
}
