#include "evaluate/html/assets.h"

namespace rootstock::html {

const std::string_view style = R"CSS(
:root{color-scheme:light dark;--ground:#f7f8f5;--sheet:#fff;--ink:#1b2420;--soft:#5d6b64;--line:#e2e7e2;--good:#2c7a57;
--bad:#c4552b;--faint:#2c7a5733;--shade:#0000000d}
@media(prefers-color-scheme:dark){:root{--ground:#101412;--sheet:#181e1b;--ink:#e5ebe7;--soft:#93a29a;--line:#2a332e;
--good:#63c093;--bad:#ec8a5c;--faint:#63c09340;--shade:#ffffff0d}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans","Noto Sans SC","PingFang SC","Microsoft YaHei",sans-serif}
main{max-width:1080px;margin:0 auto;padding:28px 20px 60px}
header{display:flex;align-items:flex-start;gap:16px;justify-content:space-between}
h1{font-size:26px;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:17px;margin:0 0 12px}
.sub{color:var(--soft);margin:4px 0 0}
button{font:inherit;color:inherit;background:none;border:1px solid var(--line);border-radius:8px;padding:5px 12px;cursor:pointer;
white-space:nowrap}
button:hover{border-color:var(--soft)}
html[data-lang=en] [lang=zh],html[data-lang=zh] [lang=en]{display:none}
section{background:var(--sheet);border:1px solid var(--line);border-radius:14px;padding:18px 20px;margin-top:18px;
min-width:0}
.cards{display:grid;grid-template-columns:repeat(var(--columns),1fr);gap:12px;margin-top:20px}
.card{background:var(--sheet);border:1px solid var(--line);border-radius:14px;padding:12px 14px}
.card b{display:block;font-size:24px;font-weight:650;font-variant-numeric:tabular-nums;line-height:1.25}
.card span{color:var(--soft);font-size:13px}
.card.main b{color:var(--good)}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:18px;align-items:stretch}
.wide{overflow-x:auto}
.none,.note{color:var(--soft);margin:6px 0 0;font-size:13px}
svg{width:100%;height:auto;display:block}
svg text{fill:var(--soft);font-size:12px}
.grid{stroke:var(--line)}.axis{stroke:var(--soft)}
.curve{fill:none;stroke:var(--good);stroke-width:2;stroke-linejoin:round}
.curve.faint{stroke:var(--good);opacity:.28;stroke-width:1}
.dot{fill:var(--good)}.dot.best{fill:var(--sheet);stroke:var(--good);stroke-width:2.5}
.hit{fill:transparent}
.bar{fill:var(--good)}.gap{fill:var(--bad);fill-opacity:.28;stroke:var(--bad);stroke-opacity:.7}
.ideal{stroke:var(--soft);stroke-dasharray:5 5}
.confusion{margin:0 auto}
.confusion .ground{fill:var(--shade)}.confusion .right{fill:var(--good)}.confusion .wrong{fill:var(--bad)}
.confusion rect[data-cell]:hover{stroke:var(--ink);stroke-width:1.2}
.confusion text.times{pointer-events:none;fill:var(--ink)}.confusion text.deep{fill:var(--sheet)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:5px 10px;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:550;font-size:13px;position:sticky;top:0;background:var(--sheet)}
th.key,td.key{text-align:left;overflow-wrap:break-word;max-width:300px}
th[data-sort]{cursor:pointer;user-select:none}
th[data-sort]:hover{color:var(--ink)}
th[aria-sort=ascending]::after{content:" ↑"}th[aria-sort=descending]::after{content:" ↓"}
td:not(.key):not(.text){white-space:nowrap}
tr:last-child td{border-bottom:0}
.scroll{max-height:520px;overflow:auto}
.meter{display:inline-block;width:64px;height:6px;border-radius:3px;background:var(--shade);margin-left:9px;vertical-align:middle}
.meter i{display:block;height:100%;border-radius:3px;background:var(--good)}
tfoot td{font-weight:600;border-top:2px solid var(--line)}
td.text{text-align:left;width:60%;min-width:240px;overflow-wrap:anywhere;white-space:pre-wrap}
td.bad{color:var(--bad)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
#tip{position:fixed;z-index:9;pointer-events:none;background:var(--ink);color:var(--ground);border-radius:8px;padding:5px 9px;
font-size:13px;max-width:340px;opacity:0;transition:opacity .08s;overflow-wrap:anywhere}
@media(max-width:820px){.cards{grid-template-columns:repeat(auto-fit,minmax(128px,1fr))}}
@media(max-width:520px){main{padding:18px 12px 40px}section{padding:14px 12px}dl{grid-template-columns:1fr}dd{margin-bottom:6px}h1{font-size:21px}}
@media print{body{background:#fff}.scroll{max-height:none}button,#tip{display:none}section,.card{break-inside:avoid}}
)CSS";

const std::string_view script = R"JS(
(function () {
  "use strict";
  var root = document.documentElement, names = JSON.parse(document.getElementById("names").textContent);
  var totals = JSON.parse(document.getElementById("totals").textContent), tip = document.getElementById("tip");
  document.getElementById("language").addEventListener("click", function () {
    var chinese = root.dataset.lang !== "zh";
    root.dataset.lang = chinese ? "zh" : "en";
    root.lang = chinese ? "zh-CN" : "en";
  });
  function textFor(target) {
    if (target.dataset.tip) return root.dataset.lang === "zh" ? target.dataset.zh : target.dataset.tip;
    var cell = target.dataset.cell.split(",").map(Number), all = totals[cell[0]];
    return names[cell[0]] + " → " + names[cell[1]] + ": " + cell[2] + " / " + all + " (" + (100 * cell[2] / all).toFixed(1) + " %)";
  }
  document.addEventListener("pointermove", function (event) {
    var target = event.target.closest ? event.target.closest("[data-tip],[data-cell]") : null;
    tip.style.opacity = target ? 1 : 0;
    if (!target) return;
    tip.textContent = textFor(target);
    var box = tip.getBoundingClientRect();
    tip.style.left = Math.max(6, Math.min(event.clientX + 14, window.innerWidth - box.width - 8)) + "px";
    tip.style.top = Math.max(6, event.clientY - box.height - 12) + "px";
  });
  function valueOf(row, column) { return row.cells[column].dataset.value; }
  function sortBy(header) {
    var table = header.closest("table"), body = table.tBodies[0], column = header.cellIndex;
    var numeric = header.dataset.sort === "number";
    var down = header.getAttribute("aria-sort") ? header.getAttribute("aria-sort") === "ascending" : numeric && column > 3;
    Array.from(header.parentNode.cells).forEach(function (cell) { cell.removeAttribute("aria-sort"); });
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    Array.from(body.rows).sort(function (a, b) {
      var one = valueOf(a, column), two = valueOf(b, column);
      var order = numeric ? one - two : one.localeCompare(two);
      return down ? -order : order;
    }).forEach(function (row) { body.appendChild(row); });
  }
  document.querySelectorAll("th[data-sort]").forEach(function (header) {
    header.tabIndex = 0;
    header.addEventListener("click", function () { sortBy(header); });
    header.addEventListener("keydown", function (event) { if (event.key === "Enter") sortBy(header); });
  });
})();
)JS";

}  // namespace rootstock::html
