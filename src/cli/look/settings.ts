import { listSettings, settingsPage } from '../../config/settings-list.ts';
import { publisherHosts } from '../../workers/configured-datasets.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';

/** `quotidien settings`: every setting there is, with its default and what it does. */
export function settings({ terminal, datasets }: CommandContext): ExitCode {
  const all = listSettings(publisherHosts(datasets));
  terminal.line(settingsPage(all).trimEnd());
  terminal.data(all);
  return EXIT.done;
}
