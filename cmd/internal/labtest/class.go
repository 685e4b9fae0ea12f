package labtest

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net"
	"strconv"
	"strings"
)

// Class mode: many servers, one after the other, and one table of all.

// A Student is one line of a list of servers.
type Student struct {
	Name      string
	Server    string // HOST:PORT.
	Transport string // Empty: that of the configuration.
}

// A ClassRow is what became of one of them.
type ClassRow struct {
	Student
	Report *Report // Nil if the server could not be tested,
	Err    error   // and why not.
	Link   string  // To the report, in the table; empty: there is none.
}

// ReadClass reads a list of servers: CSV lines of name, host, port and, if wanted, transport. A first line that has the
// word "host" in its second column is a heading. Empty lines and lines that begin with # are skipped.
func ReadClass(r io.Reader) ([]Student, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord, c.Comment, c.TrimLeadingSpace = -1, '#', true
	var students []Student
	for {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("labtest: reading the list of servers: %w", err)
		}
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		if len(students) == 0 && len(fields) > 1 && strings.EqualFold(fields[1], "host") {
			continue
		}
		line, _ := c.FieldPos(0)
		s, err := student(fields)
		if err != nil {
			return nil, fmt.Errorf("labtest: list of servers, line %d: %w", line, err)
		}
		if students = append(students, s); len(students) > classServersMax {
			return nil, fmt.Errorf("labtest: more than %d servers in the list", classServersMax)
		}
	}
	if len(students) == 0 {
		return nil, errors.New("labtest: the list of servers is empty")
	}
	return students, nil
}

func student(fields []string) (Student, error) {
	if len(fields) < 3 || len(fields) > 4 {
		return Student{}, fmt.Errorf("got %d columns, want name, host, port and perhaps transport", len(fields))
	}
	if port, err := strconv.Atoi(fields[2]); err != nil || port < 1 || port > 65535 {
		return Student{}, fmt.Errorf("port %q: want 1 to 65535", fields[2])
	}
	if fields[0] == "" || fields[1] == "" {
		return Student{}, errors.New("name and host must not be empty")
	}
	s := Student{Name: fields[0], Server: net.JoinHostPort(fields[1], fields[2])}
	if len(fields) == 4 {
		switch s.Transport = strings.ToLower(fields[3]); s.Transport {
		case "", TCP, UDP, Plain:
		default:
			return Student{}, fmt.Errorf("transport %q: want %s, %s or %s", fields[3], TCP, UDP, Plain)
		}
	}
	return s, nil
}

// RunClass tests all servers with one configuration and calls done with each row. A server that cannot be tested is a
// row, too. The error is that of ctx.
func RunClass(ctx context.Context, cfg Config, students []Student, done func(int, *ClassRow)) error {
	for i, s := range students {
		own := cfg
		own.Server = s.Server
		if s.Transport != "" {
			own.Transport = s.Transport
		}
		row := &ClassRow{Student: s}
		row.Report, row.Err = Run(ctx, own)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		done(i, row)
	}
	return nil
}

// Grade is the row's result in one cell: the course's grade, or the per cent of the rules' points.
func (r *ClassRow) Grade() string {
	switch {
	case r.Report == nil:
		return ""
	case r.Report.Grade.Course != nil:
		return strconv.Itoa(r.Report.Grade.Course.Grade)
	}
	return trim(r.Report.Grade.Total.Percent)
}

// Of is what Grade is of.
func (r *ClassRow) Of() string {
	switch {
	case r.Report == nil:
		return ""
	case r.Report.Grade.Course != nil:
		return strconv.Itoa(r.Report.Grade.Course.Max)
	}
	return "100"
}

// Remark says why a server has no grade or not a whole one.
func (r *ClassRow) Remark() string {
	switch {
	case r.Err != nil:
		return strings.TrimPrefix(r.Err.Error(), "labtest: ")
	case r.Report.Died != nil:
		return "the server ended in " + r.Report.Died.Rule
	}
	return ""
}

// Failures is how many rules failed.
func (r *ClassRow) Failures() int {
	n := 0
	if r.Report != nil {
		for _, result := range r.Report.Results {
			if result.failed() {
				n++
			}
		}
	}
	return n
}

// WriteClassCSV writes the scores, a line for each server: grade and what it is of, per cent and points of the rules,
// and per cent of each group.
func WriteClassCSV(w io.Writer, rows []*ClassRow) error {
	c := csv.NewWriter(w)
	heading := []string{"name", "server", "transport", "grade", "of", "rules_percent", "rules_points", "rules_max", "failed", "seconds", "remark"}
	for _, g := range Groups() {
		heading = append(heading, g+"_percent")
	}
	lines := [][]string{heading}
	for _, r := range rows {
		line := []string{r.Name, r.Server, r.Transport, r.Grade(), r.Of(), "", "", "", "", "", oneLine(r.Remark())}
		percent := make(map[string]string)
		if r.Report != nil {
			t := r.Report.Grade.Total
			line[2] = r.Report.Transport
			line[5], line[6], line[7] = trim(t.Percent), trim(t.Earned), trim(t.Max)
			line[8], line[9] = strconv.Itoa(r.Failures()), fmt.Sprintf("%.1f", r.Report.DurationMS/1000)
			for _, g := range r.Report.Grade.Groups {
				percent[g.Group] = trim(g.Percent)
			}
		}
		for _, g := range Groups() {
			line = append(line, percent[g])
		}
		lines = append(lines, line)
	}
	if err := c.WriteAll(lines); err != nil {
		return fmt.Errorf("labtest: writing the scores: %w", err)
	}
	return nil
}

const classTemplate = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>labtest: {{len .}} servers</title>
<style>{{style}}</style>
</head>
<body>
<h1>{{len .}} servers</h1>
<table>
<tr><th>name</th><th>server</th><th>over</th><th class="n">grade</th><th></th><th class="n">rules %</th><th class="n">failed</th><th>remark</th></tr>
{{range .}}<tr><td>{{if .Link}}<a href="{{.Link}}">{{.Name}}</a>{{else}}{{.Name}}{{end}}</td><td>{{.Server}}</td>
{{if .Report}}<td>{{.Report.Transport}}</td><td class="n">{{.Grade}} of {{.Of}}</td><td><span class="bar"><i style="width:{{percent .}}%"></i></span></td><td class="n">{{number .Report.Grade.Total.Percent}}</td><td class="n">{{.Failures}}</td><td>{{line .Remark}}</td>{{else}}<td>{{.Transport}}</td><td class="n">–</td><td></td><td></td><td></td><td class="fail">{{line .Remark}}</td>{{end}}</tr>
{{end}}</table>
</body>
</html>
`

// WriteClassHTML writes the table of all servers as one page, with links to the reports.
func WriteClassHTML(w io.Writer, rows []*ClassRow) error {
	funcs := htmlFuncs()
	funcs["percent"] = func(r *ClassRow) string {
		if c := r.Report.Grade.Course; c != nil {
			return trim(c.Percent)
		}
		return trim(r.Report.Grade.Total.Percent)
	}
	t, err := template.New("class").Funcs(funcs).Parse(classTemplate)
	if err != nil {
		panic(fmt.Sprintf("BUG: labtest: the template of the class: %v", err))
	}
	if err := t.Execute(w, rows); err != nil {
		return fmt.Errorf("labtest: writing HTML: %w", err)
	}
	return nil
}
