/** What this page needs besides the style that all pages share. */
export const DAY_PAGE_CSS = `.hover path{fill:none;pointer-events:all}
.hover path:hover{fill:var(--ink);fill-opacity:.12}
.status.unmade{color:var(--muted)}
.status.unmade::before{background:none;border:2px solid currentColor}
section.unmade .reasons{border-color:var(--rule)}
@media print{
header{padding:0 0 8px}
section{padding:10px 0 12px}
.kpis>div{padding:6px 0 8px}
th,td{padding-top:3px;padding-bottom:3px}
footer div{padding:8px 0 0;break-inside:avoid}
.split,.split.even,.split.table-first{display:block;break-inside:auto}
.split>*+*{margin-top:10px}
.table,tr,.reasons li,.note{break-inside:avoid}
h1,h2,h3,caption,thead,summary{break-after:avoid}
.chart-head+.plot,.plot+.note{break-before:avoid}
thead{display:table-header-group}
p,li,dd{orphans:3;widows:3}
}`;
