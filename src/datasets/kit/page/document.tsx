import type { ComponentChildren, JSX } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { capital, SAMPLE_WORDS } from '../sample-data.ts';

/** What a page is made of. */
export interface HtmlPage {
  readonly title: string;
  readonly css: string;
  /** What stands in `body`: `main` and `footer`. */
  readonly children: ComponentChildren;
}

/**
 * A report as one HTML file in French that needs nothing else: no script, no font, no request.
 * Equal inputs give equal bytes, whatever the process drew before.
 */
export function renderHtmlPage({ title, css, children }: HtmlPage): string {
  return `<!doctype html>\n${renderToString(
    <html lang="fr">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" href="data:," />
        <style dangerouslySetInnerHTML={{ __html: css }} />
      </head>
      <body>{children}</body>
    </html>,
  )}\n`;
}

/** At the head of a page: which of its sources a sample portal made up; nothing if none is. */
export function SampleLine({
  of = [],
}: {
  readonly of?: readonly string[] | undefined;
}): JSX.Element | null {
  if (of.length === 0) return null;
  return (
    <p class="state">
      <strong>{capital(SAMPLE_WORDS)}</strong>, inventées pour l’essai&nbsp;: {of.join(', ')}.
    </p>
  );
}

/** Figures at the head of a page, each with its name and a note. */
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
