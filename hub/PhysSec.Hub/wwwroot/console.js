'use strict';
(() => {
  // The connection: notice its loss within seconds, come back by itself, reload when the hub was restarted.
  Blazor.start({
    circuit: {
      configureSignalR: builder => builder.withServerTimeout(10000).withKeepAliveInterval(3000),
      reconnectionOptions: { maxRetries: 1000000, retryIntervalMilliseconds: 1500 }
    }
  });
  const lost = document.getElementById('components-reconnect-modal');
  const gone = () => lost && ['components-reconnect-failed', 'components-reconnect-rejected'].some(it => lost.classList.contains(it));
  let reloading = false;
  const reloadWhenBack = async () => {
    if (reloading) return;
    reloading = true;
    for (;;) {
      try { if ((await fetch('/sign-in', { cache: 'no-store' })).ok) { location.reload(); return; } } catch { /* the hub is still away */ }
      await new Promise(resolve => setTimeout(resolve, 1500));
    }
  };
  if (lost) new MutationObserver(() => { if (gone()) reloadWhenBack(); }).observe(lost, { attributes: true, attributeFilter: ['class'] });

  // A sign of life while somebody is at work; after 30 minutes of nothing the session ends.
  let active = Date.now(), told = Date.now();
  for (const kind of ['pointerdown', 'keydown', 'scroll', 'touchstart'])
    addEventListener(kind, () => { active = Date.now(); }, { passive: true, capture: true });
  if (document.querySelector('.shell') || !document.querySelector('.plain')) setInterval(async () => {
    const now = Date.now();
    if (now - active > 30 * 60000 && document.querySelector('.shell')) { location.reload(); return; }
    if (active > told && now - told > 60000) {
      told = now;
      try { await fetch('/alive', { cache: 'no-store', redirect: 'manual' }); } catch { /* the overlay already says so */ }
    }
  }, 15000);

  // Keys: j and k move, Enter opens, a acknowledges, / searches.
  const rows = () => [...document.querySelectorAll('[data-row]')].filter(it => it.offsetParent !== null);
  const current = () => document.activeElement?.closest('[data-row]');
  const move = by => {
    const all = rows();
    if (all.length === 0) return;
    const at = all.indexOf(current());
    const next = all[Math.min(Math.max(at < 0 ? 0 : at + by, 0), all.length - 1)];
    next.focus();
    next.scrollIntoView({ block: 'nearest' });
  };
  addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
    if (e.target.closest?.('input, textarea, select, .mud-dialog, [contenteditable]')) return;
    if (e.key === 'j') move(1);
    else if (e.key === 'k') move(-1);
    else if (e.key === '/') { const search = document.querySelector('[data-search]'); if (!search) return; e.preventDefault(); search.focus(); search.select?.(); }
    else if (e.key === 'a') { const button = (current() ?? document).querySelector('[data-ack]'); if (button) { e.preventDefault(); button.click(); } }
    else if (e.key === 'Enter' && document.activeElement?.matches('[data-row]')) { e.preventDefault(); (current().querySelector('[data-open]') ?? current()).click(); }
  });

  // On a phone the menu is a strip: where one is stays in sight.
  const show = link => link?.scrollIntoView({ inline: 'center', block: 'nearest' });
  let looks = 0;
  const look = setInterval(() => {
    const here = document.querySelector('.nav a.active');
    if (here || ++looks > 40) { clearInterval(look); show(here); }
  }, 250);
  document.addEventListener('click', e => show(e.target.closest?.('.nav a')));

  document.addEventListener('click', e => { if (e.target.closest?.('[data-print]')) print(); });
})();
