// What moves in the page: a call that is pointed at, focused or clicked is told of below its picture, and the picture can
// be stretched. Without it, the titles of the bars and the table tell the same.
export const pageScript = `
for (const figure of document.querySelectorAll('figure')) {
  const plot = figure.querySelector('.plot');
  const scroller = figure.querySelector('.scroll');
  const panel = figure.querySelector('.panel');
  const hint = panel.innerHTML;
  const steps = [...figure.querySelectorAll('.step')];
  // Of a step that is drawn in several lanes, the one in its file's lane is the last.
  const stops = [...new Map(steps.map((step) => [step.dataset.step, step])).entries()].sort((a, b) => a[0] - b[0]).map(([, step]) => step);
  const rowOf = (index) => document.getElementById(figure.id + '-' + index);
  let pinned;

  function show(index) {
    for (const one of figure.querySelectorAll('.on')) one.classList.remove('on');
    document.querySelector('tr.on')?.classList.remove('on');
    figure.classList.toggle('chosen', index !== undefined);
    if (index === undefined) return void (panel.innerHTML = hint);
    for (const one of figure.querySelectorAll('[data-step="' + index + '"], [data-steps~="' + index + '"]')) one.classList.add('on');
    const row = rowOf(index);
    row.classList.add('on');
    panel.replaceChildren(row.querySelector('.what').cloneNode(true));
    panel.append(...[row.querySelector('.told')?.content.cloneNode(true), document.getElementById('call-' + row.dataset.call)?.content.cloneNode(true)].filter(Boolean));
  }

  function focus(step) {
    for (const one of stops) one.tabIndex = one === step ? 0 : -1;
    step.focus();
    step.querySelector('.hit').scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  for (const step of steps) {
    const { step: index } = step.dataset;
    step.addEventListener('pointerenter', () => show(index));
    step.addEventListener('pointerleave', () => show(pinned));
    step.addEventListener('focus', () => show((pinned = index)));
    step.addEventListener('click', () => show((pinned = index)));
    rowOf(index).addEventListener('click', () => show((pinned = index)));
  }
  if (stops[0]) stops[0].tabIndex = 0;

  figure.addEventListener('keydown', (event) => {
    const at = stops.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: stops.length - 1 }[event.key];
    if (event.key === 'Escape') show((pinned = undefined));
    else if (event.key === '+') stretch(1.5);
    else if (event.key === '-') stretch(1 / 1.5);
    else if (at >= 0 && stops[to]) focus(stops[to]);
    else return;
    event.preventDefault();
  });

  let zoom = 1;
  function stretch(factor, around = scroller.clientWidth / 2) {
    const place = (scroller.scrollLeft + around) / plot.clientWidth;
    zoom = Math.min(64, Math.max(0.25, zoom * factor));
    plot.classList.remove('fit');
    plot.style.setProperty('--zoom', zoom);
    scroller.scrollLeft = place * plot.clientWidth - around;
  }
  const act = { larger: () => stretch(1.5), smaller: () => stretch(1 / 1.5), fit: () => { zoom = 1; plot.classList.add('fit'); } };
  for (const button of figure.querySelectorAll('[data-act]')) button.addEventListener('click', act[button.dataset.act]);
  scroller.addEventListener('wheel', (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    stretch(Math.exp(-event.deltaY / 200), event.clientX - scroller.getBoundingClientRect().left);
  }, { passive: false });
}
addEventListener('beforeprint', () => { for (const one of document.querySelectorAll('details')) one.open = true; });
`;
