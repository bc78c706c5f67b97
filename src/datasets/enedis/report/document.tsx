import type { ComponentChildren, JSX } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { FRAME_TONES, pageCss, STATUS_TONES, tone, tonesCss } from '../../kit/page/index.ts';

const CSS = `${tonesCss({ ...FRAME_TONES, ...STATUS_TONES, load: tone('#1f5a96', '#8fbdf0') })}\n${pageCss()}`;

interface DocumentProps {
  readonly title: string;
  readonly kicker: string;
  readonly heading: ComponentChildren;
  /** The way to other pages. */
  readonly links?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A page of Enedis as one file that needs nothing else. Equal inputs give equal bytes. */
export function renderDocument(props: DocumentProps): string {
  return `<!doctype html>\n${renderToString(<Document {...props} />)}\n`;
}

function Document({ title, kicker, heading, links, children }: DocumentProps): JSX.Element {
  return (
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
          </header>
          {children}
        </main>
        <footer>
          <div>
            <p>
              Données du distributeur (Enedis), remises selon le contrat passé avec lui, sans licence de réutilisation.
              Heures légales françaises. Aucun nom ni adresse de particulier n’est lu.
            </p>
          </div>
        </footer>
      </body>
    </html>
  );
}

/** Figures at the head of a page. */
export function Figures({
  figures,
}: {
  readonly figures: readonly (readonly [string, string, string])[];
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
