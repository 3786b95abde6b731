// How the page around the pictures looks.
export const pageStyle = `
* { box-sizing: border-box }
html { color-scheme: light dark }
body { margin: 0 auto; max-width: 1500px; padding: 28px 20px 60px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, Helvetica, Arial, "DejaVu Sans", sans-serif }
h1 { font-size: 22px; font-weight: 600; margin: 0; line-height: 1.25 }
h2 { font-size: 15px; font-weight: 600; margin: 0 }
p { margin: 0; max-width: 75ch }
.facts, .note, figcaption span { color: var(--muted); font-size: 13px }
main > .note { margin-top: 20px }
code, .call { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .88em }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 14px 0 0; padding: 0; list-style: none; font-size: 12px; color: var(--muted) }
.key li { display: flex; align-items: center; gap: 6px }
figure { margin: 22px 0 0 }
figcaption { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 12px; margin-bottom: 4px }
.controls { margin-left: auto; display: flex; align-items: center; gap: 6px }
button { font: inherit; font-size: 13px; color: inherit; background: none; border: 1px solid var(--rule); border-radius: 4px; padding: 1px 9px; cursor: pointer }
button:hover { border-color: var(--life) }
:focus-visible { outline: 2px solid var(--bytes); outline-offset: 1px }
.scroll { overflow-x: auto; border-block: 1px solid var(--rule); padding: 6px 16px; margin-inline: -16px;
  /* A shadow at an edge beyond which there is more: covered while there is none. */
  background: linear-gradient(to right, var(--paper) 12px, transparent) 0 0 / 36px 100% local,
    linear-gradient(to left, var(--paper) 12px, transparent) 100% 0 / 36px 100% local,
    linear-gradient(to right, var(--life), transparent) 0 0 / 12px 100%,
    linear-gradient(to left, var(--life), transparent) 100% 0 / 12px 100%;
  background-repeat: no-repeat }
.plot { display: grid; container: plot / inline-size; min-width: 100%; width: calc(var(--natural) * var(--zoom, 1) * 1px) }
.plot.fit { width: 100% }
.plot > svg { grid-area: 1 / 1; display: block; overflow: visible }
.plot > .whole { width: 100% }
.titles { position: sticky; left: 0; justify-self: start; pointer-events: none }
.step { cursor: pointer; outline: none }
.step:focus-visible .hit { stroke: var(--bytes); stroke-width: 2 }
.on .hit { fill: color-mix(in srgb, var(--bytes) 18%, transparent) }
.on .name { font-weight: 600 }
.arrow, .passed { transition: opacity .12s }
.chosen :is(.arrow, .passed):not(.on) { opacity: .25 }
.panel { position: sticky; bottom: 0; min-height: 7em; padding: 10px 16px 12px; margin-inline: -16px; background: var(--paper); border-bottom: 1px solid var(--rule); font-size: 13.5px }
.panel .call { overflow-wrap: anywhere; font-size: 13px }
.panel .meaning { color: var(--error) }
.panel .would-block { color: var(--block) }
details { margin-top: 26px }
summary { cursor: pointer; font-weight: 600 }
.table { overflow-x: auto }
table { border-collapse: collapse; margin-top: 10px; font-size: 13px; font-variant-numeric: tabular-nums; width: 100% }
th { text-align: left; font-weight: 600; color: var(--muted); border-bottom: 1px solid var(--life) }
th, td { padding: 4px 14px 4px 0; vertical-align: top }
td { border-bottom: 1px solid var(--rule) }
td.number { text-align: right; white-space: nowrap }
td.thread { white-space: nowrap }
th:last-child { text-align: right }
th:last-child, td:last-child { padding-right: 0 }
td .call { overflow-wrap: anywhere }
td p { color: var(--muted); font-size: 12.5px; margin-top: 2px }
tr.on td { background: color-mix(in srgb, var(--bytes) 10%, transparent) }
@media (max-width: 600px) {
  body { padding-inline: 16px }
  thead { display: none }
  tr { display: grid; grid-template-columns: auto 1fr auto; gap: 0 12px; padding: 6px 0; border-bottom: 1px solid var(--rule) }
  td { border: 0; padding: 0; color: var(--muted) }
  td:nth-child(3) { grid-row: 1; grid-column: 1 / -1; color: var(--ink) }
}
@media print {
  @page { size: landscape; margin: 12mm }
  body { padding: 0; max-width: none }
  .controls, .panel { display: none }
  .scroll { overflow: visible; padding-inline: 0; margin-inline: 0 }
  .plot { width: 100% !important }
  figure, tr { break-inside: avoid }
}
`;
