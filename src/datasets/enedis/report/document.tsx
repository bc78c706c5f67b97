import type { ComponentChildren } from 'preact';
import { capital, SAMPLE_WORDS } from '../../kit/index.ts';
import {
  FRAME_TONES,
  pageCss,
  renderHtmlPage,
  SampleLine,
  STATUS_TONES,
  tone,
  tonesCss,
} from '../../kit/page/index.ts';

const CSS = `${tonesCss({ ...FRAME_TONES, ...STATUS_TONES, load: tone('#1f5a96', '#8fbdf0') })}\n${pageCss()}`;

interface DocumentProps {
  readonly title: string;
  readonly kicker: string;
  readonly heading: ComponentChildren;
  /** The way to other pages. */
  readonly links?: ComponentChildren;
  readonly children: ComponentChildren;
  /** The flux whose archives a sample portal made up. */
  readonly sample?: readonly string[] | undefined;
  /** Style of this page alone. */
  readonly css?: string;
}

/** A page of Enedis; equal inputs give equal bytes. */
export function renderDocument({
  title,
  kicker,
  heading,
  links,
  children,
  sample = [],
  css = '',
}: DocumentProps): string {
  return renderHtmlPage({
    title,
    css: `${CSS}${css}`,
    children: (
      <>
        <main>
          <header>
            {links}
            <p class="kicker">{kicker}</p>
            <h1>{heading}</h1>
            <SampleLine of={sample} />
          </header>
          {children}
        </main>
        <footer>
          <div>
            <p>
              {sample.length > 0
                ? `${capital(SAMPLE_WORDS)}, inventées à cette fin et remises par personne.`
                : 'Données du distributeur (Enedis), remises selon le contrat passé avec lui, sans licence de réutilisation.'}{' '}
              Heures légales françaises. Aucun nom ni adresse de particulier n’est lu.
            </p>
          </div>
        </footer>
      </>
    ),
  });
}
