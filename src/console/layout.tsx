import type { ComponentChildren, JSX } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { hasScope } from '../api/security/callers.ts';
import type { Caller } from '../api/security/callers.ts';
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
  /** Who looks; decides which forms are shown, and not what they may do. */
  readonly caller: Caller;
  /** Whether people sign in by an issuer; else by the link of a command. */
  readonly signsInHere: boolean;
  /** What a form has just done, by its name. */
  readonly done: string | null;
}

/** Whether forms that change something of a pipeline are shown. */
export function mayAct({ caller }: Pick<PageContext, 'caller'>, pipeline?: string): boolean {
  return hasScope(caller, 'ops:write', pipeline);
}

/** An address of the console that keeps the language. */
export function linkTo({ language }: Pick<PageContext, 'language'>, path: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}lang=${language}`;
}

/** What forms do, by the names that `done` may have. */
const DONE = [
  ...(['run', 'verify', 'retryStep', 'skipPart', 'unskipPart', 'decide', 'decideUnit'] as const),
  ...(['backfill', 'pause', 'resume', 'resize', 'cancel', 'schedule', 'watch'] as const),
];

const SECTIONS: readonly (readonly [path: string, word: keyof Words])[] = [
  ['/console', 'pipelines'],
  ['/console/pages', 'pages'],
  ['/console/questions', 'questions'],
  ['/console/tables', 'tables'],
  ['/console/gaps', 'gaps'],
  ['/console/stale', 'stale'],
  ['/console/watch', 'watched'],
  ['/console/failures', 'failures'],
  ['/console/backfills', 'backfills'],
  ['/console/schedules', 'schedules'],
  ['/console/stores', 'stores'],
];

/** Pages about the whole installation; keys are the business of administrators. */
const OF_ALL = ['/console/schedules', '/console/stores'];

/** People are not led to what they may not see. */
function sectionsFor({ caller }: PageContext): typeof SECTIONS {
  if (!caller.anonymous && !hasScope(caller, 'ops:read'))
    return SECTIONS.filter(([path]) => !OF_ALL.includes(path));
  return hasScope(caller, 'admin') ? [...SECTIONS, ['/console/keys', 'keys']] : SECTIONS;
}

/** A whole document; texts are escaped by Preact. */
export function renderPage(page: PageContext, made: Page): string {
  return `<!doctype html>${renderToString(<Frame page={page} made={made} />)}`;
}

/** What a page shows below its title. */
export interface Page {
  readonly title: string;
  readonly content: JSX.Element;
  /** Paths of scripts and style sheets of this page alone. */
  readonly scripts?: readonly string[];
  readonly styles?: readonly string[];
}

function Frame({ page, made }: { readonly page: PageContext; readonly made: Page }): JSX.Element {
  const { title, content, scripts = [], styles = [] } = made;
  const { language, words, address } = page;
  const other: Language = language === 'fr' ? 'en' : 'fr';
  return (
    <html lang={language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${title} · ${words.title}`}</title>
        <link rel="stylesheet" href="/console/style.css" />
        <link rel="icon" href="data:," />
        {styles.map((href) => (
          <link key={href} rel="stylesheet" href={href} />
        ))}
        {scripts.map((src) =>
          src.endsWith('/uplot.js') ? (
            <script key={src} defer src={src} />
          ) : (
            <script key={src} type="module" src={src} />
          ),
        )}
        <script type="module" src="/console/live.js" />
      </head>
      <body>
        <a class="skip" href="#content">
          {words.skip}
        </a>
        <header>
          <nav aria-label={words.title}>
            <ul>
              {sectionsFor(page).map(([path, word]) => (
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
          <Standing page={page} />
        </header>
        <main id="content">
          <h1>{title}</h1>
          <Done page={page} />
          {content}
        </main>
      </body>
    </html>
  );
}

/** Who is signed in, or how to. */
function Standing({ page }: { readonly page: PageContext }): JSX.Element {
  const { words, caller } = page;
  if (caller.role === undefined && page.signsInHere)
    return (
      <p class="who">
        <a href={`/console/sign-in?next=${encodeURIComponent(linkTo(page, page.address))}`}>
          {words.signIn}
        </a>
      </p>
    );
  if (caller.role === undefined)
    return <p class="who">{`${words.onlyReading} ${page.nameHome('quotidien console')}`}</p>;
  return (
    <form class="who" method="post" action={linkTo(page, '/console/leave')}>
      <span>{`${caller.name} · ${words[caller.role as 'reader' | 'operator' | 'admin']}`}</span>
      <button type="submit">{words.leave}</button>
    </form>
  );
}

/** What was just done; the words of an address that nobody made are not shown. */
function Done({ page: { words, done } }: { readonly page: PageContext }): JSX.Element | null {
  const told = DONE.find((one) => one === done);
  if (told === undefined) return null;
  return (
    <p class="done" role="status">
      {words[`${told}Done`]}
    </p>
  );
}

/** A part of a page that follows what happens to a pipeline, or to any; see `live-script.ts`. */
export function Live({
  id,
  pipeline = '',
  isBusy = false,
  children,
}: {
  /** Of the part, the same whenever the page is made. */
  readonly id: string;
  readonly pipeline?: string;
  /** Something goes on that no commit tells of. */
  readonly isBusy?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div id={id} data-live={pipeline} data-busy={isBusy ? '' : undefined}>
      {children}
    </div>
  );
}

/** Names and what they are. */
export function Facts({
  facts,
}: {
  readonly facts: readonly (readonly [string, string])[];
}): JSX.Element {
  return (
    <dl>
      {facts.map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
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
