"""What people with bad intentions type: for browsers, for templates, and for PostgreSQL."""

from __future__ import annotations

#: Each is to be shown as it was typed, and to do nothing (S-18).
MARKUP = (
    "<script>alert(1)</script>", "</script><script>alert(1)</script>", "<ScRiPt>alert(1)</sCrIpT>",
    "<script src=//evil.example/x.js></script>", "<script\x0b>alert(1)</script>", "<<script>alert(1)//<</script>",
    "<img src=x onerror=alert(1)>", '<img src="x" onerror="alert(1)">', "<img/src/onerror=alert(1)>",
    "<svg onload=alert(1)>", "<svg><script>alert(1)</script></svg>", "<svg/onload=alert(1)//",
    "<math><mtext></mtext>",
    "<body onload=alert(1)>", "<iframe src=javascript:alert(1)></iframe>", "<object data=//evil.example></object>",
    "<embed src=//evil.example>", "<link rel=stylesheet href=//evil.example>", "<meta http-equiv=refresh content=0>",
    "<base href=//evil.example/>", "<form action=//evil.example><button>x</button></form>",
    "<style>*{color:red}</style>",
    "<a href=javascript:alert(1)>x</a>", "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<marquee onstart=alert(1)>", "<input autofocus onfocus=alert(1)>", "<select><option>x</select>",
    "<textarea></textarea><script>alert(1)</script>", "</textarea><script>alert(1)</script>",
    "</title><script>x</script>",
    '" onmouseover="alert(1)', "' onmouseover='alert(1)", '" autofocus onfocus=alert(1) x="',
    "' autofocus x='", "`onx=1`",
    '"><script>alert(1)</script>', "'><script>alert(1)</script>",
    '"/><img src=x onerror=alert(1)>', "--><b>x</b><!--",
    "<!--<b>x</b>-->", "]]><b>x</b>", "<![CDATA[<b>x</b>]]>", "<?php echo 1 ?>", "<%= 7777*7777 %>",
    "javascript:alert(1)",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;b&#62;x", "&amp;lt;b&amp;gt;", "%3Cscript%3Ealert(1)%3C/script%3E",
    "\\x3cscript\\x3ealert(1)", "\\u003cb\\u003ex", "{{7777*7777}}", "{{ config }}", "{% raw %}x", "{%- set x = 1 -%}",
    "{# x #}", "${7777*7777}", "#{7777*7777}", "{{''.__class__.__mro__[1].__subclasses__()}}",
    "{{ cycler.__init__.__globals__ }}",
    "<b>bold</b>", "<x contenteditable onblur=alert(1)>",
)  # fmt: skip
#: Each is a name or a word like any other (S-19).
SQL = (
    "'", "''", '"', "`", "\\", "\\'", "';", "'--", "' --", "'#", "'/*", "' OR '1'='1",
    "' OR 1=1--", "' OR 1=1#", "OR 1=1",
    "1 OR 1=1", "1' OR '1'='1", "') OR ('1'='1", "')) OR (('1'='1", "' AND 1=0 UNION SELECT 1--",
    "' UNION SELECT NULL--",
    "' UNION SELECT NULL,NULL,NULL--", "' UNION SELECT digest FROM portal_session--", "1; SELECT pg_sleep(9)",
    "'; SELECT pg_sleep(9)--", "' || pg_sleep(9)--", "'||(SELECT pg_sleep(9))||'", "'; DROP TABLE referral--",
    "'; DELETE FROM ledger--", "'; UPDATE account SET role='DECISION_MAKER'--", "1); TRUNCATE referral--", "$$", "$1",
    "%s", "%(x)s", ":x", "E'\\\\'", "x' AND SUBSTRING(version(),1,1)='P", "' AND 1=CAST((SELECT 1) AS int)--",
    "'; COPY account TO PROGRAM 'id'--", "' LIKE '%", "%", "_", "0x27", "CHR(39)",
)  # fmt: skip
