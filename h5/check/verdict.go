package check

import (
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Decision is what to do with a file, as text that does not change.
type Decision string

// The decisions, the most important first.
const (
	RejectCorrupt  Decision = "reject_corrupt"  // the file contradicts the format or itself
	RejectPolicy   Decision = "reject_policy"   // it asks for something outside itself that is not allowed
	RejectResource Decision = "reject_resource" // it asks for more than a limit allows
	Unsupported    Decision = "unsupported"     // it asks for something that is not implemented
	Incomplete     Decision = "incomplete"      // the system or the memory did not suffice to check all of it
	Accept         Decision = "accept"
)

var decisions = []Decision{RejectCorrupt, RejectPolicy, RejectResource, Unsupported, Incomplete, Accept}

// Classify returns the code of an error that was found in a file, and the decision that follows from it. Codes do not change:
// corrupt; policy-RULE and resource-RULE for the rules of h5err; resource-limit for other limits; unsupported; memory; and io.
func Classify(err error) (code string, d Decision) {
	e := h5err.In(err, "", "").(*h5err.Error)
	switch e.Kind {
	case h5err.Unsupported:
		if e.Rule != "" {
			return "policy-" + string(e.Rule), RejectPolicy
		}
		return "unsupported", Unsupported
	case h5err.Limit:
		if e.Rule != "" {
			return "resource-" + string(e.Rule), RejectResource
		}
		return "resource-limit", RejectResource
	case h5err.Memory:
		return "memory", Incomplete
	case h5err.IO:
		return "io", Incomplete
	}
	return "corrupt", RejectCorrupt
}

// Worse returns the more important of two decisions.
func Worse(a, b Decision) Decision {
	for _, d := range decisions {
		if a == d || b == d {
			return d
		}
	}
	return Accept
}
