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

const TONES = {
  ...FRAME_TONES,
  ...STATUS_TONES,
  load: tone('#1f5a96', '#8fbdf0'),
  export: tone('#b3781e', '#e8b465'),
};
const CSS = `${tonesCss(TONES)}\n${pageCss()}
.curve{fill:none;stroke-width:2}
.curve.import{stroke:var(--load)}
.curve.export{stroke:var(--export)}
.axis{stroke:var(--grid)}
.tick{fill:var(--muted);font-size:11px}
.cell{stroke:var(--paper)}
.bar{fill:var(--load)}
h1{overflow-wrap:anywhere}
.kpis dd:not(.value) span{white-space:normal}`;

interface DocumentProps {
  readonly title: string;
  readonly kicker: string;
  readonly heading: ComponentChildren;
  /** The way to other pages. */
  readonly links?: ComponentChildren;
  readonly children: ComponentChildren;
  /** Rules of this page alone. */
  readonly css?: string;
  /** The parts whose rows a sample portal made up. */
  readonly sample: readonly string[];
}

const PART_TITLES: Readonly<Record<string, string>> = {
  readings: 'relevés remis',
  'head-end': 'relevés du système de collecte',
  meters: 'compteurs',
  injected: 'énergie injectée par transformateur',
  registers: 'index des compteurs',
  outages: 'coupures',
  weather: 'températures',
  billed: 'énergie facturée',
  prices: 'prix',
};

function partTitle(part: string): string {
  return PART_TITLES[part] ?? part;
}

/** A page of meters; equal inputs give equal bytes. */
export function renderDocument({
  title,
  kicker,
  heading,
  links,
  children,
  css,
  sample,
}: DocumentProps): string {
  return renderHtmlPage({
    title,
    css: css === undefined ? CSS : `${CSS}\n${css}`,
    children: (
      <>
        <main>
          <header>
            {links}
            <p class="kicker">{kicker}</p>
            <h1>{heading}</h1>
            <SampleLine of={sample.map(partTitle)} />
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
              Les compteurs sont désignés par une clé qui ne dit rien de leur titulaire. Un soupçon
              est un indice à vérifier, jamais une preuve.
            </p>
          </div>
        </footer>
      </>
    ),
  });
}
