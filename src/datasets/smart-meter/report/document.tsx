import type { ComponentChildren, JSX } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { capital, SAMPLE_WORDS } from '../../kit/index.ts';
import { FRAME_TONES, pageCss, STATUS_TONES, tone, tonesCss } from '../../kit/page/index.ts';

const TONES = { ...FRAME_TONES, ...STATUS_TONES, load: tone('#1f5a96', '#8fbdf0'), export: tone('#b3781e', '#e8b465') };
const CSS = `${tonesCss(TONES)}\n${pageCss()}
.curve{fill:none;stroke-width:2}
.curve.import{stroke:var(--load)}
.curve.export{stroke:var(--export)}
.axis{stroke:var(--grid)}
.tick{fill:var(--muted);font-size:11px}
.cell{stroke:var(--paper)}
.bar{fill:var(--load)}`;

interface DocumentProps {
  readonly title: string;
  readonly kicker: string;
  readonly heading: ComponentChildren;
  /** The way to other pages. */
  readonly links?: ComponentChildren;
  readonly children: ComponentChildren;
  /** The parts whose rows a sample portal made up. */
  readonly sample: readonly string[];
}

/** A page of meters as one file that needs nothing else. Equal inputs give equal bytes. */
export function renderDocument({ title, kicker, heading, links, children, sample }: DocumentProps): string {
  return `<!doctype html>\n${renderToString(
    <html lang="fr">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" href="data:," />
        <style dangerouslySetInnerHTML={{ __html: CSS }} />
      </head>
      <body>
        <main>
          <header>
            {links}
            <p class="kicker">{kicker}</p>
            <h1>{heading}</h1>
            {sample.length > 0 && (
              <p class="state">
                <strong>{capital(SAMPLE_WORDS)}</strong>, inventées pour l’essai&nbsp;: {sample.join(', ')}.
              </p>
            )}
          </header>
          {children}
        </main>
        <footer>
          <div>
            <p>
              {sample.length > 0
                ? `${capital(SAMPLE_WORDS)}, inventées à cette fin et publiées par personne.`
                : 'Relevés remis par le gestionnaire des compteurs\u00a0: données personnelles, sans licence de réutilisation.'}
            </p>
            <p>
              Les compteurs sont désignés par une clé qui ne dit rien de leur titulaire. Un soupçon est un indice à
              vérifier, jamais une preuve.
            </p>
          </div>
        </footer>
      </body>
    </html>,
  )}\n`;
}

/** Figures at the head of a page. */
export function Figures({
  figures,
}: {
  readonly figures: readonly (readonly [name: string, value: string, note: string])[];
}): JSX.Element {
  return (
    <dl class="kpis">
      {figures.map(([name, value, note]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <span class="value">{value}</span> <span>{note}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
