import { FRAME_TONES, STATUS_TONES, tonesCss } from '../../datasets/kit/page/tones.ts';

/**
 * The style of the calendar's pages, in the tones of the reports; contrasts are at least 4.5 to 1.
 */
export const CALENDAR_STYLE = `${tonesCss({ ...FRAME_TONES, ...STATUS_TONES })}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1240px;margin:0 auto;padding:24px 28px 48px}
h1{font-size:28px;line-height:1.2;margin:0 0 8px;letter-spacing:-.015em}
h2{font-size:20px;margin:0 0 4px}
h3,.month h2{font-size:14px;margin:0 0 4px;font-weight:600}
ul,ol{list-style:none;margin:0;padding:0}
main>section{border-top:1px solid var(--rule);padding:18px 0 26px}
a{color:inherit;text-underline-offset:2px}
a:focus-visible{outline:3px solid var(--ink);outline-offset:1px}
.links{display:flex;flex-wrap:wrap;gap:0 16px;margin-bottom:10px}
.links a{display:inline-block;min-height:28px;padding:3px 0}
.legend{display:flex;flex-wrap:wrap;gap:2px 18px;margin:6px 0 16px;font-size:13px;color:var(--muted)}
.key{display:inline-block;width:24px;height:18px;border:1px solid var(--rule);border-bottom-width:4px;font-size:10px;line-height:13px;text-align:center;vertical-align:middle;color:var(--ink)}
.months{display:grid;grid-template-columns:repeat(auto-fill,minmax(248px,1fr));gap:20px 28px}
.month ol,.week{display:grid;grid-template-columns:repeat(7,minmax(0,1fr));gap:3px}
.week{margin:0 0 2px;font-size:12px;color:var(--muted);text-align:center}
.month li>*{display:block;position:relative;min-height:34px;padding-top:4px;text-align:center;border:1px solid var(--rule);border-bottom-width:4px;text-decoration:none;font-size:14px}
.month li>a{font-weight:650;text-decoration:underline;text-decoration-thickness:1px}
.month li>a:hover{background:var(--grid)}
.month b{position:absolute;right:2px;top:-1px;font-size:10px;font-weight:400}
.month span{color:var(--muted)}
.legend u{font-weight:650;color:var(--ink);text-underline-offset:2px}
.ok>*{border-bottom-color:var(--good)!important}
.degraded>*{border-bottom-color:var(--warn)!important;border-bottom-style:dashed!important}
.failed>*,.quarantined>*{border-bottom-color:var(--alert)!important}
.no_data>*{border-bottom-color:var(--alert)!important;border-bottom-style:dotted!important}
.none>*{border-color:var(--grid)!important;border-bottom-width:1px!important}
@media (max-width:680px){main{padding:16px 16px 40px}h1{font-size:24px}.months{grid-template-columns:minmax(0,1fr)}.month li>*{min-height:40px;padding-top:7px}}
@media print{@page{size:A4;margin:12mm}.month{break-inside:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`;
