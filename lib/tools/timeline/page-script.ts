// What moves in the page: a call that is pointed at, focused or clicked is told of below its picture, and the picture can
// be stretched. Without it, the titles of the bars and the table tell the same.
export const pageScript = `
const panel = document.querySelector('.panel');
const hint = panel?.innerHTML;
let pinned;

// A step is known by the id of its row: of which picture it is, and its number there.
function show(id) {
  for (const one of document.querySelectorAll('.on, .chosen')) one.classList.remove('on', 'chosen');
  if (id === undefined) return void (panel.innerHTML = hint);
  const row = document.getElementById(id);
  const [figure, index] = id.split('-');
  const picture = document.getElementById(figure);
  picture.classList.add('chosen');
  for (const one of picture.querySelectorAll('[data-step="' + index + '"], [data-steps~="' + index + '"]')) one.classList.add('on');
  row.classList.add('on');
  const told = [row.querySelector('.told'), document.getElementById('call-' + row.dataset.call)];
  panel.replaceChildren(row.querySelector('.what').cloneNode(true), ...told.map((template) => template.content.cloneNode(true)));
}
const pin = (id) => show((pinned = id));

for (const figure of document.querySelectorAll('figure')) {
  const plot = figure.querySelector('.plot');
  const scroller = figure.querySelector('.scroll');
  const steps = [...figure.querySelectorAll('.step')];
  // Of a step that is drawn in several lanes, the one in its file's lane is the last.
  const stops = [...new Map(steps.map((step) => [+step.dataset.step, step])).entries()].sort(([a], [b]) => a - b).map(([, step]) => step);

  function focus(step) {
    for (const one of stops) one.tabIndex = one === step ? 0 : -1;
    step.focus();
    step.querySelector('.hit').scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  for (const step of steps) {
    const id = figure.id + '-' + step.dataset.step;
    step.addEventListener('pointerenter', () => show(id));
    step.addEventListener('pointerleave', () => show(pinned));
    step.addEventListener('focus', () => pin(id));
    step.addEventListener('click', () => pin(id));
    document.getElementById(id).onclick = () => pin(id);
  }
  if (stops[0]) stops[0].tabIndex = 0;

  figure.addEventListener('keydown', (event) => {
    const at = stops.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: stops.length - 1 }[event.key];
    if (event.key === '+') stretch(1.5);
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

addEventListener('keydown', (event) => { if (event.key === 'Escape') pin(undefined); });
addEventListener('beforeprint', () => { for (const one of document.querySelectorAll('details')) one.open = true; });
`;
