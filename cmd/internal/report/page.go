package report

import "html/template"

// pageTemplate is the page. Its colours are told apart by people who do not see all of them, on light and on dark.
var pageTemplate = template.Must(template.New("page").Parse(`{{define "fair"}}{{if .Shares}}<figure>{{.Shares}}<figcaption>Whose part of both files was how large; medians of the runs, without the first 5 s. The line is half.</figcaption></figure>{{end}}
{{if .Time}}<figure>{{.Time}}<figcaption>The first run, in Mbit/s by the second: the transport in its colour, CUBIC dashed.</figcaption></figure>{{end}}{{end}}<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>udpchat compare</title>
<style>
:root { color-scheme: light dark; --paper: #fdfdfb; --ink: #1c1d1f; --soft: #5c6168; --line: #dcdcd6; --card: #fff; --best: #e3f3e3; --bad: #b3261e; --rival: #c9ccd1;
  --c0: #777777; --c1: #d55e00; --c2: #b8860b; --c3: #0072b2; --c4: #00855f; --c5: #8a4fbf; --c6: #c2185b; --c7: #5d4037; --c8: #0097a7; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181b; --ink: #e8e8e4; --soft: #a2a8b0; --line: #34383e; --card: #1d2024; --best: #1f3a25; --bad: #ff8a80; --rival: #4a4f57;
  --c0: #a8a8a8; --c1: #ff8a3d; --c2: #e6b93d; --c3: #58b4f0; --c4: #3ecf9b; --c5: #c39bf0; --c6: #ff79b0; --c7: #c8a18f; --c8: #4dd0e1; } }
body { margin: 0 auto; max-width: 1100px; padding: 1rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { margin: .5rem 0; max-width: 75ch; } .verdict { font-size: 1.15rem; font-weight: 600; } .soft { color: var(--soft); font-size: .9rem; } .bad { color: var(--bad); font-weight: 600; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; margin: .5rem 0; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; } th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
td small { color: var(--soft); } td.best { background: var(--best); font-weight: 600; }
details { border: 1px solid var(--line); border-radius: 6px; background: var(--card); padding: .5rem .75rem; margin: .5rem 0; } summary { cursor: pointer; font-weight: 600; } details td:first-child, details th:first-child { background: var(--card); }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 430px), 1fr)); gap: .5rem 1.5rem; } figure { margin: .5rem 0; } figcaption { font-size: .9rem; color: var(--soft); } svg { width: 100%; height: auto; display: block; }
ul.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .9rem; } ul.legend i { display: inline-block; width: 1.4em; height: .35em; vertical-align: middle; margin-right: .4em; border-radius: 2px; }
text { fill: var(--ink); font: 12px system-ui, sans-serif; } text.tick { fill: var(--soft); font-size: 11px; } text.label { font-weight: 600; }
.grid { stroke: var(--line); stroke-width: 1; fill: none; } .curve { fill: none; stroke-width: 2; stroke-linejoin: round; } .dots { stroke-width: 2.6; stroke-linecap: round; fill: none; } .gone { stroke: var(--bad); stroke-width: 1.5; } .drop { stroke: var(--soft); stroke-width: 1; }
{{range $i := .Numbers}}.c{{$i}} { stroke: var(--c{{$i}}); } text.c{{$i}} { fill: var(--c{{$i}}); stroke: none; } rect.c{{$i}} { fill: var(--c{{$i}}); stroke: none; } i.c{{$i}} { background: var(--c{{$i}}); }
{{end}}rect.heat { fill: var(--c1); } rect.rival { fill: var(--rival); } .half { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 4 3; } .other { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 5 2; } rect.payload, i.payload { fill: var(--c4); background: var(--c4); } rect.headers, i.headers { fill: var(--c0); background: var(--c0); } rect.acks, i.acks { fill: var(--c3); background: var(--c3); } rect.again, i.again { fill: var(--c1); background: var(--c1); } rect.parity, i.parity { fill: var(--c5); background: var(--c5); }
i.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; vertical-align: -.05em; }
code { font: .85rem ui-monospace, monospace; overflow-wrap: anywhere; } li { margin: .25rem 0; }
</style>
</head>
<body>
<h1>The same messages, the same bad links</h1>
<p class="verdict">{{.Verdict}}</p>
{{if .Price}}<p>{{.Price}}</p>{{end}}
{{if .Broken}}<p class="bad">The calibration failed: do not trust these figures. The notes at the end say what is off.</p>{{end}}
{{if .Interrupted}}<p class="bad">Interrupted: not all runs that were wanted are here.</p>{{end}}
<p>Several transports carried the same messages over the same emulated links. A latency counts from when a message was planned to be sent to when it
could be read in order at the other end; a message that never arrived counts as one that took for ever.{{if .Fewer}} {{.Fewer}}{{end}}</p>
<ul class="legend">{{range .Legend}}<li><i class="{{.Class}}"></i><b>{{.Name}}</b> <span class="soft">{{.Text}}</span></li>{{end}}</ul>
{{range .Sections}}
<h2>{{.Name}}</h2>
<p>{{.Text}}. The table: {{.Title}}; the best of each link is marked.</p>
<div class="scroll"><table><tr><th></th>{{range .Head}}<th>{{.}}</th>{{end}}</tr>
{{range .Rows}}<tr><td>{{.Name}}</td>{{range .Cells}}<td{{if .Best}} class="best"{{end}}>{{.Text}}{{if .Spread}} <small>{{.Spread}}</small>{{end}}</td>{{end}}</tr>
{{end}}</table></div>
{{range .Links}}<details{{if .Open}} open{{end}}><summary>{{.Name}}: {{.Text}}</summary>
<div class="scroll"><table><tr><th></th>{{range .Head}}<th>{{.}}</th>{{end}}</tr>
{{range .Rows}}<tr><td>{{.Name}}</td>{{range .Cells}}<td>{{.Text}}</td>{{end}}</tr>
{{end}}</table></div>
{{if .Pairs}}<p class="soft">{{.Pairs}}</p>
{{end}}<div class="pictures">
{{if .CDF}}<figure>{{.CDF}}<figcaption>How many messages had arrived after so long. A line that ends below 100 % lost the rest.</figcaption></figure>{{end}}
{{if .Tail}}<figure>{{.Tail}}<figcaption>The tail: how many took longer. 1 % is the height of p99, 0.1 % of p99.9. Further left is better.</figcaption></figure>{{end}}
{{if .Time}}<figure>{{.Time}}<figcaption>Every message of the first run: when it was to be sent, and how long it took. Marks below: the link dropped a packet then. Marks above: the message never arrived. Slopes are messages that wait for the one before them.</figcaption></figure>{{end}}
{{if .Split}}<figure>{{.Split}}<figcaption>Bytes on the wire for one byte delivered: <i class="payload key"></i> payload, <i class="headers key"></i> headers and handshake, <i class="acks key"></i> acknowledgements, <i class="again key"></i> retransmissions, <i class="parity key"></i> parity and copies.</figcaption></figure>{{end}}
{{if .Goodput}}<figure>{{.Goodput}}<figcaption>How fast the file went.</figcaption></figure>{{end}}
{{with .Fair}}{{template "fair" .}}{{end}}
</div></details>
{{end}}{{end}}
{{if .Heat}}<h2>How the tail grows</h2>
<p>Chat once more, 1,000 messages for each cell: by how many ms the p99 is above the physical limit, with more and more loss (down) and longer and longer round trips
(across). Deeper is worse.</p>
<div class="pictures">{{range .Heat}}<figure>{{.}}</figure>{{end}}</div>
{{end}}{{if .Beginnings}}<h2>Beginning, and beginning again</h2>
<p>A first message over a new connection on a link of 50 ms that loses 10 %, from the beginning of the handshake (KCP has none); and how long after the end of an outage
of 5 s the first message arrives. In ms; the physical limit is 50.</p>
<div class="scroll"><table><tr><th></th><th>first message p50</th><th>p90</th><th>longest</th><th>after an outage, median</th><th>longest</th></tr>
{{range .Beginnings}}<tr><td>{{.Name}}</td>{{range .Cells}}<td>{{.Text}}</td>{{end}}</tr>
{{end}}</table></div>
{{end}}{{with .Fair}}<h2>Who is fair to TCP</h2>
<p>A file over each transport and another over the kernel's CUBIC, on one link of 10 Mbit/s and 50 ms with a queue of 100 ms, on the wire. Who takes all starves everybody else's
downloads; who takes nothing is of no use beside them. {{.Chat}}</p>
<div class="pictures">{{template "fair" .}}</div>
{{end}}<h2>Before you believe it</h2>
<ul>{{range .Notes}}<li class="soft">{{.}}</li>{{end}}</ul>
<p>An emulated link is a model: it loses what it is told to lose, not what a network would, and it has no other users unless the profile says so. One message every
100 ms is what people do when they talk; redundancy that is cheap there is not cheap for films. Where intervals overlap no difference was shown.</p>
<p>The same again: <code>{{.Header.Command}}</code></p>
</body>
</html>
`))

// Numbers are those of the colours, for the style sheet.
func (*page) Numbers() []int {
	var all []int
	for i := range colours {
		all = append(all, i)
	}
	return all
}
