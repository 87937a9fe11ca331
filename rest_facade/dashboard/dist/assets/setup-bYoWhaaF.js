import{C as e,a as t,b as n,g as r,o as i,s as a,t as o,v as s,y as c}from"./query-CMF8kxDS.js";import{s as l,x as u}from"./format-F41kpa2z.js";import{r as d}from"./router-CvpQForW.js";import{t as f}from"./action-4JsLuljW.js";function p({app:p}){s(u(`setup`),p.name);let{busy:h,run:_}=f(),v=o(`first ${p.appKey}`,async t=>(await e(n.GET(`/api/overview`,{params:{query:{appKey:p.appKey}},signal:t}))).totals.events,2e3),y=()=>_(async()=>{await e(n.POST(`/api/events/batch`,{body:{appKey:p.appKey,events:[m(p)]}})),r(u(`testEventSent`)),v.reload()}),b=(v.data??0)>0,x=g(p,location.origin);return c(`div`,{class:`stack`,style:{maxWidth:`820px`},children:[c(`h1`,{children:u(`setupOf`,{name:p.name})}),c(`p`,{class:b?`notice good`:`notice`,role:`status`,children:b?u(`firstEventArrived`,{n:l(v.data??0)}):u(`waitingForFirstEvent`)}),c(t,{title:u(`whatSdksNeed`),flush:!0,children:c(`table`,{class:`facts`,children:c(`tbody`,{children:[c(`tr`,{children:[c(`th`,{scope:`row`,children:u(`server`)}),c(`td`,{children:c(a,{text:location.origin})})]}),c(`tr`,{children:[c(`th`,{scope:`row`,children:u(`appKey`)}),c(`td`,{children:c(a,{text:p.appKey})})]}),c(`tr`,{children:[c(`th`,{scope:`row`,children:u(`projectId`)}),c(`td`,{children:c(a,{text:String(p.projectId)})})]})]})})}),c(t,{title:u(`snippet`),aside:c(i,{text:x}),flush:!0,children:c(`pre`,{class:`raw`,tabIndex:0,children:x})}),c(`div`,{class:`row`,children:[c(`button`,{class:`button main`,type:`button`,disabled:h,onClick:()=>void y(),children:u(`sendTestEvent`)}),c(`a`,{class:`button`,href:d.app(p.id),children:u(`toOverview`)})]})]})}function m(e){return{eventId:`evt_${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`,type:`error`,timestamp:Date.now(),platform:e.type,errorType:`test`,message:`Test event from the dashboard`,release:`test`,environment:`test`,pageUrl:location.origin,deviceInfo:{userAgent:navigator.userAgent,language:navigator.language}}}var h=new Set([`ios`,`android`,`react-native`]);function g(e,t){return h.has(e.type)?`// Swift, with OpenReplay's tracker
OpenReplay.shared.serverURL = "${t}/ingest"
OpenReplay.shared.start(projectKey: "${e.appKey}", options: .defaults)`:`// HealthGuard SDKs take the server and the app key above. Without one:
const report = (error, errorType) =>
  fetch("${t}/api/events/batch", {
    method: "POST",
    keepalive: true,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      appKey: "${e.appKey}",
      events: [{
        eventId: "evt_" + Date.now() + Math.random(),
        type: "error",
        timestamp: Date.now(),
        platform: "${e.type}",
        errorType,
        message: String(error?.message ?? error),
        stack: error?.stack,
        pageUrl: location.href,
      }],
    }),
  });
addEventListener("error", (event) => report(event.error ?? event.message, "js"));
addEventListener("unhandledrejection", (event) => report(event.reason, "promise"));`}export{p as SetupPage};