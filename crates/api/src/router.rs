//! Every route, by who may use it.

use crate::app::App;
use crate::auth::rights::{Right, require};
use crate::guard::{hooks as doors, rate, request};
use crate::routes::{
    bills, calls, config, devices, events, evidence, findings, float, handset, home, hooks, market, meters,
    movements, notices, operator, operator_sign_in, orders, payouts, people, pin, reviews, rules, session,
    shortfall, sign_in, statements, tariffs, ussd,
};
use crate::{openapi, web};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state as with};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The largest body of an ordinary request, in bytes.
pub const BODY_MAX: usize = 16 * 1024;
/// The largest body of a callback, in bytes.
pub const HOOK_BODY_MAX: usize = 64 * 1024;
/// The largest form of a phone's gateway, in bytes.
pub const PHONE_BODY_MAX: usize = 8 * 1024;
/// The largest statement, in bytes.
pub const STATEMENT_MAX: usize = 8 * 1024 * 1024;

/// For anybody.
fn public() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(config::health))
        .routes(routes!(config::ready))
        .routes(routes!(config::show_config))
        .routes(routes!(session::demo_households))
        .routes(routes!(session::sign_in))
        .routes(routes!(sign_in::send_code))
        .routes(routes!(sign_in::sign_in_by_code))
        .routes(routes!(operator_sign_in::operator_sign_in))
        .routes(routes!(operator_sign_in::accept_invitation))
        .routes(routes!(handset::show))
        .routes(routes!(handset::dial))
        .routes(routes!(handset::text))
}

/// For whoever is signed in.
fn signed_in() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(session::sign_out))
        .routes(routes!(market::offers))
        .routes(routes!(calls::calls))
}

/// For a household, about what is its own.
fn household() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(home::me))
        .routes(routes!(home::home))
        .routes(routes!(home::forecast))
        .routes(routes!(movements::movements))
        .routes(routes!(notices::my_notices))
        .routes(routes!(statements::my_statement))
        .routes(routes!(bills::my_bills))
        .routes(routes!(bills::my_bill_of_day))
        .routes(routes!(bills::my_bills_table))
        .routes(routes!(shortfall::my_shortfall))
        .routes(routes!(devices::devices, devices::sign_out_others))
        .routes(routes!(devices::sign_out_device))
}

/// For a household, where money may move: limited by session.
fn money() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(market::my_offers, market::post_offer))
        .routes(routes!(market::cancel_offer))
        .routes(routes!(market::buy_back))
        .routes(routes!(market::quote))
        .routes(routes!(rules::my_rules, rules::set_rules))
        .routes(routes!(orders::my_orders, orders::place_order))
        .routes(routes!(payouts::my_payouts, payouts::request_payout))
        .routes(routes!(payouts::quote_payout))
        .routes(routes!(shortfall::dispute))
        .routes(routes!(shortfall::ask_emergency))
        .routes(routes!(pin::give_pin))
        .routes(routes!(pin::set_pin))
}

/// For the operator's desk, whatever one is there for.
fn desk() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(operator::overview))
        .routes(routes!(operator::households))
        .routes(routes!(operator::last_audit))
        .routes(routes!(notices::operator_notices))
        .routes(routes!(tariffs::tariffs))
}

/// The grid, to read. An audit reads too.
fn grid_seen() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(operator::quarantine))
        .routes(routes!(operator::run_audit))
        .routes(routes!(meters::meters))
        .routes(routes!(meters::history))
        .routes(routes!(evidence::evidence))
        .routes(routes!(evidence::refusals))
        .routes(routes!(bills::slot_reports))
        .routes(routes!(shortfall::standings))
        .routes(routes!(shortfall::household_shortfall))
        .routes(routes!(findings::findings))
        .routes(routes!(findings::finding))
}

/// The grid, to decide about.
fn grid_run() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(meters::claim))
        .routes(routes!(meters::allow_firmware))
        .routes(routes!(meters::replace))
        .routes(routes!(meters::rotate))
        .routes(routes!(meters::challenge))
        .routes(routes!(meters::approve))
        .routes(routes!(meters::reject))
        .routes(routes!(meters::retire))
        .routes(routes!(meters::release))
        .routes(routes!(meters::begin_epoch))
        .routes(routes!(bills::record_curtailment))
        .routes(routes!(shortfall::set_terms))
        .routes(routes!(ussd::clear_pin))
        .routes(routes!(findings::decide_finding))
}

/// Money, to read.
fn money_seen() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(operator::payments))
        .routes(routes!(notices::payout_queue))
        .routes(routes!(float::float_moves))
        .routes(routes!(statements::household_statement))
        .routes(routes!(statements::tax_list))
        .routes(routes!(reviews::reviews))
        .routes(routes!(reviews::proposals))
        .routes(routes!(reviews::reconciliations))
        .routes(routes!(reviews::reconciliation))
}

/// Money and prices, to decide about.
fn money_run() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(notices::resume_payouts))
        .routes(routes!(float::move_float))
        .routes(routes!(tariffs::announce_tariff))
        .routes(routes!(reviews::propose))
        .routes(routes!(reviews::approve))
        .routes(routes!(reviews::reject))
}

/// Who is let in, and what they did: to read.
fn people_seen() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(people::people))
        .routes(routes!(people::acts))
        .routes(routes!(people::acts_table))
}

/// Who is let in: to decide about.
fn people_run() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(people::invite_person))
        .routes(routes!(people::reset_person))
        .routes(routes!(people::retire_person))
}

/// Where money is decided about too, and waits for M-Pesa's answers: not counted as work under way.
fn comparing() -> OpenApiRouter<App> {
    let statements = OpenApiRouter::new()
        .routes(routes!(reviews::upload_statement))
        .layer(DefaultBodyLimit::max(STATEMENT_MAX));
    OpenApiRouter::new().routes(routes!(reviews::reconcile)).merge(statements)
}

/// For a household, and may wait: not counted as work under way.
fn waiting() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(orders::my_order)).routes(routes!(payouts::my_payout))
}

/// For whoever is signed in, and never ends by itself.
fn live() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(events::events))
}

/// For M-Pesa: whoever knows a secret path.
fn callbacks() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(hooks::stk_result))
        .routes(routes!(hooks::b2c_result))
        .routes(routes!(hooks::b2c_timeout))
        .routes(routes!(hooks::answer_result))
        .routes(routes!(hooks::answer_timeout))
        .routes(routes!(hooks::c2b_confirmation))
        .routes(routes!(hooks::c2b_validation))
        .layer(DefaultBodyLimit::max(HOOK_BODY_MAX))
}

/// For the gateway of phones: whoever knows the secret path.
fn phones() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ussd::dialled))
        .routes(routes!(ussd::delivery_report))
        .routes(routes!(ussd::inbound))
        .layer(DefaultBodyLimit::max(PHONE_BODY_MAX))
}

/// The OpenAPI document of all routes.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = openapi::Document::openapi();
    let groups = [public, signed_in, household, money, desk, grid_seen, grid_run, money_seen, money_run];
    let groups = groups.into_iter().chain([people_seen, people_run, comparing]);
    for group in groups.chain([waiting, live, callbacks, phones]) {
        document.merge(group().into_openapi());
    }
    openapi::finish(&mut document);
    document
}

/// All routes with their guards, the innermost guard first.
pub fn router(app: &App) -> Router {
    let closed = |group: OpenApiRouter<App>, right: Right| -> Router<App> {
        Router::from(group).route_layer(with((app.clone(), right), require))
    };
    let money = money().layer(with(app.clone(), rate::money));
    Router::<App>::from(public())
        .merge(closed(signed_in(), Right::SignedIn))
        .merge(closed(household(), Right::Household))
        .merge(closed(money, Right::Household))
        .merge(closed(desk(), Right::Desk))
        .merge(closed(grid_seen(), Right::SeeGrid))
        .merge(closed(grid_run(), Right::RunGrid))
        .merge(closed(money_seen(), Right::SeeMoney))
        .merge(closed(money_run(), Right::RunMoney))
        .merge(closed(people_seen(), Right::SeePeople))
        .merge(closed(people_run(), Right::RunPeople))
        .merge(Router::from(phones()))
        .merge(Router::from(callbacks()).route_layer(with(app.clone(), doors::gate)))
        .merge(closed(
            OpenApiRouter::new().route("/metrics", axum::routing::get(hooks::metrics)),
            Right::SeeGrid,
        ))
        .route("/api/openapi.json", axum::routing::get(openapi::serve))
        .layer(with(app.clone(), request::busy))
        .merge(closed(waiting(), Right::Household))
        .merge(closed(comparing(), Right::RunMoney))
        .layer(from_fn(request::patience))
        .merge(closed(live(), Right::SignedIn))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .fallback_service(web::service(app))
        .method_not_allowed_fallback(web::wrong_method)
        .layer(with(app.clone(), request::identify))
        .with_state(app.clone())
}
