package labtest

import (
	"encoding/json"
	"fmt"
	"io"
)

// WriteJSON writes the report as one JSON object. Names are snake_case with the unit last; texts of strangers are
// escaped as in the transcript.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("labtest: writing JSON: %w", err)
	}
	return nil
}
