import type { ComponentChildren, JSX } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { Language } from '../pipelines/tables.ts';
import { WORDS } from './words.ts';
import type { Words } from './words.ts';

/** What every page has: its language, the address it was asked under, and the way to the others. */
export interface PageContext {
  readonly language: Language;
  readonly words: Words;
  /** Path and query without the language. */
  readonly address: string;
  /** Names the home in the commands of a text, so that they can be pasted. */
  readonly nameHome: (text: string) => string;
}

/** An address of the console that keeps the language. */
export function linkTo({ language }: Pick<PageContext, 'language'>, path: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}lang=${language}`;
}

const SECTIONS: readonly (readonly [path: string, word: keyof Words])[] = [
  ['/console', 'pipelines'],
  ['/console/pages', 'pages'],
  ['/console/questions', 'questions'],
  ['/console/tables', 'tables'],
  ['/console/gaps', 'gaps'],
];

/** A whole document; texts are escaped by Preact. */
export function renderPage(page: PageContext, title: string, content: JSX.Element): string {
  return `<!doctype html>${renderToString(
    <Frame page={page} title={title}>
      {content}
    </Frame>,
  )}`;
}

function Frame({
  page,
  title,
  children,
}: {
  readonly page: PageContext;
  readonly title: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { language, words, address } = page;
  const other: Language = language === 'fr' ? 'en' : 'fr';
  return (
    <html lang={language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${title} · ${words.title}`}</title>
        <link rel="stylesheet" href="/console/style.css" />
      </head>
      <body>
        <a class="skip" href="#content">
          {words.skip}
        </a>
        <header>
          <nav aria-label={words.title}>
            <ul>
              {SECTIONS.map(([path, word]) => (
                <li key={path}>
                  <a href={linkTo(page, path)}>{words[word]}</a>
                </li>
              ))}
              <li>
                <a href={linkTo({ language: other }, address)} lang={other}>
                  {WORDS[language].language}
                </a>
              </li>
            </ul>
          </nav>
        </header>
        <main id="content">
          <h1>{title}</h1>
          {children}
        </main>
      </body>
    </html>
  );
}

/** A table with a heading for each column; numbers stand right. */
export function Rows({
  caption,
  head,
  rows,
}: {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly (JSX.Element | string | number | null)[])[];
}): JSX.Element {
  return (
    <div class="scroll" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, place) => (
                <td key={place} class={typeof cell === 'number' ? 'number' : undefined}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
