/**
 * The one style sheet of the console: both colour schemes, no image and no font of anybody else.
 * Contrasts are at least 4.5 to 1.
 */
export const STYLE = `:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#c9ced6;--soft:#f3f5f8;--link:#0b57b0;
--ok:#1a7f37;--degraded:#9a6700;--failed:#c1121f;--held:#7b2cbf;--running:#0b7285;--none:#5c6670;
--c0:#0b57b0;--c1:#c1121f;--c2:#1a7f37;--c3:#9a6700;--c4:#7b2cbf;--c5:#0b7285;--c6:#a8326e;--c7:#5c6670;--c8:#4f772d;--c9:#8d4b1e}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--paper:#14171b;--line:#3a414b;--soft:#1e2329;--link:#7ab7ff;
--ok:#4cc46a;--degraded:#e0b13c;--failed:#ff7b7b;--held:#c58bff;--running:#5ad1e0;--none:#9aa4af;
--c0:#7ab7ff;--c1:#ff7b7b;--c2:#4cc46a;--c3:#e0b13c;--c4:#c58bff;--c5:#5ad1e0;--c6:#ff8fc4;--c7:#9aa4af;--c8:#a7c957;--c9:#e6a57e}}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
a{color:var(--link)}a:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible{outline:3px solid var(--link);outline-offset:2px}
header{border-bottom:1px solid var(--line);padding:.5rem 1rem}nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;margin:0;padding:0}
nav a{display:inline-block;padding:.25rem 0;min-height:24px}main{padding:1rem;max-width:80rem;margin:0 auto}
h1{font-size:1.5rem}h2{font-size:1.2rem}table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid var(--line);padding:.25rem .5rem;text-align:left;vertical-align:top}
td a{white-space:nowrap}.scroll table:not(.years) td:last-child:not(.number){min-width:9rem}td.number{text-align:right;font-variant-numeric:tabular-nums}.scroll{overflow-x:auto}.skip{position:absolute;left:-999px}.skip:focus{left:1rem}
.months{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr))}
.month ol{display:grid;grid-template-columns:repeat(7,1fr);gap:2px;list-style:none;margin:0;padding:0}
.month a{display:block;min-height:26px;text-align:center;text-decoration:none;color:var(--ink);border:1px solid var(--line);border-bottom-width:4px;font-size:.8rem}
.ok a{border-bottom-color:var(--ok)}.degraded a,.unknown a{border-bottom-color:var(--degraded)}.failed a,.missing a{border-bottom-color:var(--failed)}
.quarantined a{border-bottom-color:var(--held)}.running a{border-bottom-color:var(--running)}.no_data a,.not_due a,.not_asked a{border-bottom-color:var(--none);border-bottom-style:dotted}
.missing a{border-style:dashed}form{display:flex;flex-wrap:wrap;gap:.75rem;align-items:end;background:var(--soft);padding:.75rem;margin:1rem 0}
label{display:grid;font-size:.9rem}input,select,button{font:inherit;min-height:32px;padding:.15rem .5rem;color:inherit;background:var(--paper);border:1px solid var(--none)}
label.tick{display:flex;gap:.4rem;align-items:center}label.wide{flex:1 1 16rem}label.tick input{min-height:24px;width:24px;flex:none}
.who{display:flex;gap:.75rem;align-items:center;background:none;padding:0;margin:.25rem 0;font-size:.9rem}.done{border-left:4px solid var(--ok);background:var(--soft);padding:.5rem}
dl div{display:grid;grid-template-columns:minmax(9rem,14rem) 1fr;gap:.5rem;border-bottom:1px solid var(--line);padding:.2rem 0}dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}progress{width:100%;height:1rem;accent-color:var(--ok)}
.years td{padding:1px}.years td a{display:block;min-width:3.5rem;height:28px;border:1px solid var(--line);background:var(--soft)}.years svg{width:100%;height:100%;display:block}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;padding:0}path.ok,rect.ok{fill:var(--ok)}path.degraded,rect.degraded,path.unknown,rect.unknown{fill:var(--degraded)}
path.failed,rect.failed,path.missing,rect.missing{fill:var(--failed)}path.quarantined,rect.quarantined{fill:var(--held)}path.running,rect.running{fill:var(--running)}
path.no_data,rect.no_data,path.not_asked,rect.not_asked{fill:var(--none)}path.not_due,rect.not_due{fill:none}
pre{background:var(--soft);padding:.5rem;white-space:pre-wrap;overflow-wrap:anywhere}svg{max-width:100%;height:auto}svg text{fill:var(--ink);font-size:16px}
main>div>section>svg,main>div>svg,figure .plot>svg{width:100%;display:block}.axis{stroke:var(--ink)}.grid{stroke:var(--line)}.line{fill:none;stroke:currentColor;stroke-width:2}.slice{fill:none;stroke:currentColor;stroke-width:24}
.c0{color:var(--c0)}.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}.c4{color:var(--c4)}.c5{color:var(--c5)}.c6{color:var(--c6)}.c7{color:var(--c7)}.c8{color:var(--c8)}.c9{color:var(--c9)}
.ring{display:flex;flex-wrap:wrap;gap:1rem;align-items:center}.ring svg{width:12rem;flex:none}.ring .key{flex-direction:column}.ring .key svg,.key svg{width:12px}
.bars{list-style:none;padding:0}.bars li{display:grid;grid-template-columns:minmax(6rem,16rem) 1fr minmax(5rem,auto);gap:.5rem;align-items:center;padding:.1rem 0}.bars svg{width:100%;height:.8rem}.bars span:last-child{text-align:right;font-variant-numeric:tabular-nums}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(10rem,1fr));gap:.75rem}.figures div{display:block;border:1px solid var(--line);padding:.5rem}.figures dt{font-weight:400;font-size:.9rem}.figures dd{font-size:1.3rem}.figures svg{width:100%;height:.5rem;background:var(--soft)}
fieldset{border:1px solid var(--line);max-height:16rem;overflow:auto;display:grid;gap:.2rem}details summary{min-height:32px;cursor:pointer}figure{margin:1rem 0}.plot{min-height:13rem}.plot>div:focus-visible{outline:3px solid var(--link)}.reading{display:block;min-height:1.5em;font-variant-numeric:tabular-nums}
@media(max-width:40rem){.bars li{grid-template-columns:1fr auto}.bars svg{grid-row:2;grid-column:1/-1;height:.5rem}svg text{font-size:30px}}.answer{font-size:1.2rem}
`;
