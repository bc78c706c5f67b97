/**
 * Everything that the pages of all pipelines need to look right, besides their colours; the fonts
 * are those of the reader's system.
 */
export function pageCss(): string {
  return `${BASE}\n${HEAD}\n${CHARTS}\n${TABLES}\n${SMALL}\n${PRINT}`;
}

const BASE = `*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums lining-nums}
main,footer{max-width:1240px;margin:0 auto;padding:0 28px}
h1,h2,h3,p,ul,dl,dd{margin:0;padding:0}
ul{list-style:none}
a{color:inherit;text-decoration-color:var(--zero);text-underline-offset:2px}
a:hover{text-decoration-color:currentColor}
a:focus-visible,summary:focus-visible,.table:focus-visible{outline:2px solid var(--load);outline-offset:2px}
code{font:12px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
section{border-top:1px solid var(--rule);padding:18px 0 28px;scroll-margin-top:8px}
.empty{padding-bottom:14px}
.empty .reasons{margin:0;border-color:var(--alert)}
.section-head{display:flex;align-items:baseline;gap:12px;margin-bottom:10px}
h2{font-size:20px;line-height:1.25;font-weight:650;letter-spacing:-.01em}
h3{font-size:13px;line-height:1.4;font-weight:600}
.note{margin-top:6px;font-size:13px;color:var(--muted);max-width:112ch}
.reasons{margin:0 0 12px;padding-left:12px;border-left:3px solid var(--warn);font-size:14px;max-width:124ch}
.status{font-size:12px;font-weight:600;white-space:nowrap}
.status{position:relative}
.status::before{content:"";display:inline-block;width:8px;height:8px;margin-right:4px;border-radius:50%;background:currentColor}
.status.ok{color:var(--good)}
.status.degraded{color:var(--warn)}
.status.degraded::before{border-radius:0;transform:rotate(45deg)}
.status.no_data{color:var(--alert)}
.status.no_data::before{border-radius:0;background:none;border:2px solid currentColor}
footer{font-size:13px;color:var(--muted)}
footer div{border-top:1px solid var(--rule);padding:14px 0 36px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.split{display:grid;grid-template-columns:minmax(0,1fr) 324px;gap:32px;align-items:start}
.split.even{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}
.split.table-first{grid-template-columns:minmax(0,5fr) minmax(0,6fr)}`;

const HEAD = `header{padding:28px 0 18px}
.kicker{font-size:13px;color:var(--muted)}
h1{font-size:30px;line-height:1.2;font-weight:680;letter-spacing:-.018em;margin:2px 0 6px}
.date{white-space:nowrap}
.state{font-size:14px;color:var(--muted)}
.states{display:flex;flex-wrap:wrap;gap:4px 20px;margin-top:12px;font-size:13px}
.kpis{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:0 28px}
.kpis>div{border-top:1px solid var(--rule);padding:10px 0 16px}
.kpis dt{font-size:13px;color:var(--muted)}
.kpis dd{font-size:13px;color:var(--muted)}
.kpis dd span{white-space:nowrap}
.kpis dd i{font-style:normal}
.kpis .value{font-size:28px;line-height:1.2;font-weight:650;letter-spacing:-.015em;color:var(--ink);white-space:nowrap}
.kpis .unit{font-size:15px;font-weight:500;letter-spacing:0}`;

const CHARTS = `.chart-head{display:flex;flex-wrap:wrap;justify-content:space-between;gap:2px 20px;margin-bottom:2px}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;font-size:13px;color:var(--muted)}
.swatch{display:inline-block;width:11px;height:11px;border-radius:2px;background:var(--tone)}
.swatch.line,.swatch.dashed,.swatch.dotted{width:20px;height:0;border-radius:0;background:none;border-top:2.5px solid var(--tone);vertical-align:middle;margin-top:-2px}
.swatch.dashed{border-top-style:dashed}
.swatch.dotted{border-top-style:dotted}
.plot svg{display:block;width:100%;height:auto}
.plot .compact{display:none}`;

const TABLES = `.table{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:13px;line-height:1.35}
caption{text-align:left;font-weight:600;padding-bottom:4px}
thead th{font-weight:500;color:var(--muted);border-bottom:1px solid var(--zero);vertical-align:bottom}
th,td{padding:4px 0 4px 10px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--grid)}
.pair td{min-width:72px}
th:first-child{padding-left:0;text-align:left;font-weight:400}
tbody th{white-space:normal}
tr.total>*{font-weight:650;border-top:1px solid var(--zero)}
small{display:block;font-size:12px;font-weight:400}
details{margin-top:10px;font-size:13px}
summary{cursor:pointer;color:var(--muted)}
details .table{margin-top:6px;max-width:520px}
.comparison .reference{color:var(--muted)}
.comparison .change{display:inline-block;min-width:58px}
.coverage td:last-child{width:34%;padding-left:16px}
.coverage thead th:last-child{text-align:left;padding-left:16px}
.coverage th,.coverage td{padding-top:2px;padding-bottom:2px}
.strip{display:block;width:100%;height:10px}
.strip .empty{fill:none;stroke:var(--rule);stroke-width:1;vector-effect:non-scaling-stroke}
.strip .seen{fill:var(--zero)}
.flawed th,.flawed td{color:var(--warn)}
.flawed .empty{fill:var(--warn);stroke:var(--warn)}
.absent th,.absent td{color:var(--muted)}
.checks td:nth-child(2),.checks thead th:nth-child(2),.checks td:last-child,.checks thead th:last-child{text-align:left;padding-left:24px}
.checks tbody th{width:56%}
.checks code{color:var(--muted)}
.examples{margin-top:2px;color:var(--muted);font-size:12px;overflow-wrap:anywhere}
.provenance+.provenance{margin-top:16px}
.provenance td:last-child,.provenance thead th:last-child{text-align:left;padding-left:24px}
.provenance td:last-child{white-space:normal;width:62%}
.hash{overflow-wrap:anywhere}`;

const SMALL = `@media (max-width:1080px){
.split,.split.table-first{grid-template-columns:minmax(0,1fr);gap:18px}
.split:not(.even):not(.table-first) .table{max-width:480px}
.kpis{gap:0 18px}
.kpis dd:not(.value) span{display:block}
.kpis dd i{display:none}
.kpis .value{font-size:23px}
.kpis .unit{font-size:13px}
}
@media (max-width:680px){
.split.even{grid-template-columns:minmax(0,1fr);gap:18px}
main,footer{padding:0 16px}
header{padding-top:18px}
h1{font-size:25px}
.date{white-space:normal}
.kpis{grid-template-columns:repeat(2,minmax(0,1fr));gap:0 16px}
.plot .wide{display:none}
.plot .compact{display:block}
.comparison .reference{display:none}
.comparison .change{min-width:0}
.comparison small{display:none}
.comparison table{font-size:12px}
.comparison th,.comparison td{padding-left:6px}
.comparison th:first-child{padding-left:0}
.coverage td:nth-child(2),.coverage thead th:nth-child(2),.coverage td:nth-child(3),.coverage thead th:nth-child(3){display:none}
.coverage tbody th{white-space:nowrap}
.coverage td:last-child{width:26%}
.coverage thead th:last-child{white-space:normal}
.checks td:nth-child(2),.checks thead th:nth-child(2),.checks td:nth-child(3),.checks thead th:nth-child(3){display:none}
}`;

const PRINT = `@media print{
@page{size:A4;margin:12mm}
body{font-size:12px}
main,footer{max-width:none;padding:0}
section{padding:12px 0 16px}
.split,.kpis>div,table,.plot{break-inside:avoid}
h2,h3,caption,thead,summary,.section-head,.chart-head,.reasons{break-after:avoid}
thead{display:table-header-group}
tr,li,dt,dd,.note,.kpis>div{break-inside:avoid}
p,li{orphans:3;widows:3}
.table{overflow:visible}
.split,.split.table-first{grid-template-columns:minmax(0,1fr);gap:10px}
.split:not(.even):not(.table-first) .table{max-width:440px}
.kpis .value{font-size:21px}
nav a{text-decoration:none}
.plot .wide{display:block}
.plot .compact{display:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}`;
