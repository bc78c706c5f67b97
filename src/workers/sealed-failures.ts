import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Puts the message and the stack of failures where the codec encrypts them. Temporal loads this
 * file by its path, also into the workflow bundle, and in tests as it is: so there are no types in
 * it.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
