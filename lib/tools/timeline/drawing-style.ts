// How the picture looks, by itself and in a page.

const light = `
  --paper: #fffefb; --ink: #23211d; --muted: #6d685e; --rule: #ebe7dd; --life: #b9b3a5;
  --bar: #3d3a34; --asleep: #e3ded0; --edge: #8f897b; --queued: #b9b3a5; --work: #c9c2b1;
  --block: #a86400; --error: #b3261e; --bytes: #1f6a94; --descriptors: #7a3f98; --faint: #8f897b;
  --listen: #8fa3b8; --opening: #dcaa3f; --established: #6a9e78; --active-close: #c98276; --passive-close: #a58cc0;
  --closed: #d8d3c6;`;

const dark = `
  --paper: #17181a; --ink: #e6e3db; --muted: #a39e93; --rule: #2a2b2e; --life: #5c5a55;
  --bar: #d6d2c7; --asleep: #34343a; --edge: #85817a; --queued: #5c5a55; --work: #57534a;
  --block: #e0a244; --error: #f0796e; --bytes: #6cb4e0; --descriptors: #c79be0; --faint: #85817a;
  --listen: #6f8499; --opening: #c4973a; --established: #5d9470; --active-close: #b56d62; --passive-close: #8f76ad;
  --closed: #3c3c40;`;

/** The colours, of the whole document that the picture is in. */
export const colours = `:root {${light}
}
@media (prefers-color-scheme: dark) { :root:not(.light) {${dark}
} }
@media print { :root {${light}
} }`;

export const drawingStyle = `
.timeline { font: 12px/1.2 system-ui, "Segoe UI", Roboto, Helvetica, Arial, "DejaVu Sans", sans-serif; fill: var(--ink) }
.timeline .title { font-weight: 600 }
.timeline .detail, .timeline .tick, .timeline .state-name { fill: var(--muted) }
.timeline .detail { font-size: 11px }
.timeline .tick { font-size: 10px }
.timeline .rule { stroke: var(--rule) }
.timeline .life { stroke: var(--life) }
.timeline .state-name { font-size: 9.5px; letter-spacing: .03em }
.timeline .name { font-size: 10.5px }
.timeline .bar { fill: var(--bar); stroke: var(--bar); stroke-width: 1.5 }
.timeline .asleep, .timeline .queued { fill: var(--asleep); stroke: var(--edge) }
.timeline .queued { fill: var(--queued) }
.timeline .sleep { font-size: 9px; fill: var(--muted) }
.timeline .activity { fill: var(--work) }
.timeline .under-way { fill: var(--asleep); stroke: var(--edge); stroke-dasharray: 2 2 }
.timeline .hit { fill: transparent; stroke: transparent; stroke-width: 8; pointer-events: all }
.timeline .mark path { fill: none; stroke-width: 1.5 }
.timeline .would-block .mark path { stroke: var(--block); fill: var(--paper) }
.timeline .error .mark path { stroke: var(--error) }
.timeline .would-block .bar { fill: var(--block); stroke: var(--block) }
.timeline .would-block .name { fill: var(--block) }
.timeline .error .bar { fill: var(--error); stroke: var(--error) }
.timeline .error .name { fill: var(--error) }
.timeline .passed text { font-size: 10px }
.timeline .passed text, .timeline .name, .timeline .state-name, .timeline .title, .timeline .detail { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round }
.timeline .line { stroke-width: 1.2 }
.timeline .bytes .line { stroke: var(--bytes) } .timeline .bytes text { fill: var(--bytes) }
.timeline .descriptors .line { stroke: var(--descriptors); stroke-dasharray: 5 2.5 } .timeline .descriptors text { fill: var(--descriptors) }
.timeline .connection .line { stroke: var(--faint); stroke-dasharray: 1.5 3 }
.timeline .end .line { stroke: var(--faint) }
.timeline .reset .line { stroke: var(--error) }
.head.bytes path { fill: var(--bytes) } .head.descriptors path { fill: var(--descriptors) } .head.reset path { fill: var(--error) }
.head.connection path, .head.end path { fill: none; stroke: var(--faint); stroke-width: 1.2 }
.timeline .state { fill: var(--closed) }
.timeline .TCP_LISTEN { fill: var(--listen) }
.timeline .TCP_SYN_SENT, .timeline .TCP_SYN_RECV { fill: var(--opening) }
.timeline .TCP_ESTABLISHED { fill: var(--established) }
.timeline .TCP_FIN_WAIT1, .timeline .TCP_FIN_WAIT2, .timeline .TCP_CLOSING, .timeline .TCP_TIME_WAIT { fill: var(--active-close) }
.timeline .TCP_CLOSE_WAIT, .timeline .TCP_LAST_ACK { fill: var(--passive-close) }
`;
