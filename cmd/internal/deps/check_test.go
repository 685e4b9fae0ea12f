package deps

import (
	"fmt"
	"slices"
	"strings"
)

const module = "udpchat"

// A node is one package as 'go list -json' describes it.
type node struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// A violation is one import that the table forbids, or a package it does not have.
type violation struct{ pkg, imp, why string }

func (v violation) String() string {
	if v.imp == "" {
		return fmt.Sprintf("%s: %s", v.pkg, v.why)
	}
	return fmt.Sprintf("%s may not import %s: %s", v.pkg, v.imp, v.why)
}

// check compares the imports of our packages with the table.
func check(rules []rule, owners map[string]string, graph []node) []violation {
	var vs []violation
	for _, n := range graph {
		pkg, ok := below(n.ImportPath)
		if !ok {
			continue
		}
		r, ok := find(rules, pkg)
		if !ok {
			vs = append(vs, violation{pkg, "", "not in the table of cmd/internal/deps/rules_test.go: " +
				"say there what it may import, and why not more"})
			continue
		}
		for _, imp := range n.Imports {
			if !r.allows(pkg, imp) {
				vs = append(vs, violation{pkg, imp, r.why})
			}
		}
		tests := slices.Compact(slices.Sorted(slices.Values(slices.Concat(n.TestImports, n.XTestImports))))
		for _, imp := range tests {
			if !r.allows(pkg, imp) && !r.allowsInTests(pkg, imp) {
				vs = append(vs, violation{pkg + " (test)", imp, r.why})
			}
		}
		for _, imp := range slices.Concat(n.Imports, tests) {
			if v, ok := ownedByAnother(owners, pkg, imp); ok {
				vs = append(vs, v)
			}
		}
	}
	return vs
}

// find returns the most exact rule for pkg: the one with the fewest placeholders.
func find(rules []rule, pkg string) (rule, bool) {
	best, holes := rule{}, 1<<30
	for _, r := range rules {
		if _, ok := match(r.pkg, pkg); ok && strings.Count(r.pkg, "*")+strings.Count(r.pkg, "/P") < holes {
			best, holes = r, strings.Count(r.pkg, "*")+strings.Count(r.pkg, "/P")
		}
	}
	return best, best.pkg != ""
}

// match reports whether pkg fits the pattern, and which path element P stood for.
func match(pattern, pkg string) (p string, ok bool) {
	if pattern == "..." {
		return "", true
	}
	want, got := strings.Split(pattern, "/"), strings.Split(pkg, "/")
	if want[len(want)-1] == "..." && len(got) >= len(want) {
		want[len(want)-1] = "*"
		got = got[:len(want)]
	}
	if len(want) != len(got) {
		return "", false
	}
	for i := range want {
		switch {
		case want[i] == "P":
			p = got[i]
		case want[i] != "*" && want[i] != got[i]:
			return "", false
		}
	}
	return p, true
}

// allows reports whether pkg, which the rule is for, may import imp.
func (r rule) allows(pkg, imp string) bool {
	if ours, ok := below(imp); ok {
		p, _ := match(r.pkg, pkg)
		return slices.ContainsFunc(r.ours, func(pattern string) bool {
			_, ok := match(strings.ReplaceAll(pattern, "/P", "/"+p), ours)
			return ok && ours != "config" || ok && pkg == "cmd/udpchat" // Nobody below cmd/udpchat knows the settings.
		})
	}
	if standard(imp) {
		return !under(r.notStd, imp) || imp == "net/netip" // An address is a value, not I/O.
	}
	return under(r.others, imp)
}

// allowsInTests reports whether a test of pkg may import imp although pkg may not. The standard library is free there.
func (r rule) allowsInTests(pkg, imp string) bool {
	if ours, ok := below(imp); ok {
		top, _, _ := strings.Cut(pkg, "/")
		return ours == pkg || slices.ContainsFunc(testOurs[top], func(pattern string) bool {
			_, ok := match(pattern, ours)
			return ok
		})
	}
	return standard(imp) || under(testOthers, imp) || under(r.tests, imp)
}

func ownedByAnother(owners map[string]string, pkg, imp string) (violation, bool) {
	if pkg == "cmd/internal/compare" {
		return violation{}, false
	}
	for lib, owner := range owners {
		if pkg != owner && (imp == lib || strings.HasPrefix(imp, lib+"/")) {
			return violation{pkg, imp, "only " + owner + " imports it, so that only " + owner + " changes with it"}, true
		}
	}
	return violation{}, false
}

// below cuts the module path off an import path of ours.
func below(path string) (string, bool) {
	return strings.CutPrefix(path, module+"/")
}

// standard reports whether path is of the standard library: its first element has no dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && first != module
}

// under reports whether path is one of the roots or below one.
func under(roots []string, path string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return path == root || strings.HasPrefix(path, root+"/")
	})
}
