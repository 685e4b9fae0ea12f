package config

import (
	"fmt"
	"strings"
	"unicode"
)

// Limits of a list of patterns or names: every name that is asked for is compared with all of them. More or longer ones are refused.
const (
	patternsMax     = 256
	patternBytesMax = 256
)

// patternsFrom reads a list of patterns or names.
func patternsFrom(raw any) ([]string, error) {
	ps, err := textsFrom(raw)
	if err != nil {
		return nil, err
	}
	if len(ps) > patternsMax {
		return nil, fmt.Errorf("%d of them", len(ps))
	}
	for i, p := range ps {
		if p == "" || len(p) > patternBytesMax || strings.ContainsFunc(p, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return nil, fmt.Errorf("entry %d is empty, longer than %d bytes or not printable", i+1, patternBytesMax)
		}
	}
	return ps, nil
}

// textsFrom reads a list of texts as it comes from a flag or the environment (text, separated by spaces or commas) or from
// the file (text, or a list of texts).
func textsFrom(raw any) ([]string, error) {
	switch v := raw.(type) {
	case string:
		return strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == ',' }), nil
	case []any:
		var texts []string
		for i, entry := range v {
			text, ok := entry.(string)
			if !ok {
				return nil, fmt.Errorf("entry %d: %v is no text; put it in quotes", i+1, entry)
			}
			texts = append(texts, text)
		}
		return texts, nil
	}
	return nil, fmt.Errorf("got %T instead of a list", raw)
}
