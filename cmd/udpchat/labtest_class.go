package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"udpchat/cmd/internal/labtest"
)

// runClass grades all servers of a list, one after the other.
func (f *labtestFlags) runClass(ctx context.Context, cmd *cobra.Command) error {
	file, err := os.Open(f.class)
	if err != nil {
		return advise(err, "--class wants a file with lines of CSV: name, host, port, transport.")
	}
	students, err := labtest.ReadClass(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return advise(err, "--class wants a file with lines of CSV: name, host, port, transport.")
	}
	text := cmd.OutOrStdout()
	if toStdout(f.csv)+toStdout(f.html) > 0 {
		text = cmd.ErrOrStderr()
	}
	var rows []*labtest.ClassRow
	var pageErr error
	err = labtest.RunClass(ctx, f.cfg, students, func(i int, row *labtest.ClassRow) {
		rows = append(rows, row)
		writeClassRow(text, i+1, len(students), row)
		if row.Report == nil || f.html == "" || f.html == "-" {
			return
		}
		page := studentPage(f.html, i+1, row.Name)
		if err := writeTo(page, nil, row.Report.WriteHTML); err != nil {
			pageErr = errors.Join(pageErr, err)
			return
		}
		row.Link = filepath.Base(page)
	})
	err = errors.Join(err, pageErr,
		writeTo(f.csv, cmd.OutOrStdout(), func(w io.Writer) error { return labtest.WriteClassCSV(w, rows) }),
		writeTo(f.html, cmd.OutOrStdout(), func(w io.Writer) error { return labtest.WriteClassHTML(w, rows) }))
	if err != nil {
		return failures(err)
	}
	for _, row := range rows {
		if row.Report == nil || row.Report.Failed() {
			return failures(errors.New("some rules failed, or servers could not be tested"))
		}
	}
	return nil
}

func writeClassRow(w io.Writer, i, n int, row *labtest.ClassRow) {
	result := row.Remark()
	if row.Report != nil {
		result = row.Report.LastLine()
		if remark := row.Remark(); remark != "" {
			result += "; " + remark
		}
	}
	fmt.Fprintf(w, "%d/%d  %-20s %-22s %s\n", i, n, row.Name, row.Server, result)
}

// studentPage is the file of one server's report: beside the page of all, with the number that makes it unique.
func studentPage(page string, i int, name string) string {
	safe := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			return c
		}
		return '-'
	}, name)
	ext := filepath.Ext(page)
	return fmt.Sprintf("%s-%d-%.40s%s", strings.TrimSuffix(page, ext), i, safe, ext)
}
