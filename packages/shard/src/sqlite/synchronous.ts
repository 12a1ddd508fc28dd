// Apart from the files that open databases, whose declarations need those of Node.

/** When a commit is on the disk: `full` before it resolves, `normal` at the next checkpoint. */
export type Synchronous = 'full' | 'normal' | 'off'
