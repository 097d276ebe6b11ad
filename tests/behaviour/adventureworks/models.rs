//! Sixteen tables of five schemas, once as they are and once for the tracking; and a replica of them.

/// The models, `untracked` or not.
macro_rules! models {
    ($($untracked:ident)?) => {
        use crate::adventureworks::schema::*;
        use bigdecimal::BigDecimal;
        use carburetor::{DownloadError, Everyone, Response, SyncGroup, SyncTable, Timestamps, Token};
        use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
        use diesel::prelude::*;
        use pagila::replica::{Rows, STEADY, difference};
        use uuid::Uuid;

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = employee)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct Employee {
            #[sync(id)] pub businessentityid: i32,
            pub nationalidnumber: String,
            pub loginid: String,
            pub jobtitle: String,
            pub birthdate: NaiveDate,
            pub maritalstatus: String,
            pub gender: String,
            pub hiredate: NaiveDate,
            pub salariedflag: bool,
            pub vacationhours: i16,
            pub sickleavehours: i16,
            pub currentflag: bool,
            pub rowguid: Uuid,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
            pub organizationnode: Option<String>,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = employeedepartmenthistory)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct DepartmentHistory {
            #[sync(id)] pub businessentityid: i32,
            #[sync(id)] pub departmentid: i16,
            #[sync(id)] pub shiftid: i16,
            #[sync(id)] pub startdate: NaiveDate,
            pub enddate: Option<NaiveDate>,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = employeepayhistory)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct PayHistory {
            #[sync(id)] pub businessentityid: i32,
            #[sync(id)] pub ratechangedate: NaiveDateTime,
            pub rate: BigDecimal,
            pub payfrequency: i16,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = shift)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct Shift {
            #[sync(id)] pub shiftid: i32,
            pub name: String,
            pub starttime: NaiveTime,
            pub endtime: NaiveTime,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = address)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct Address {
            #[sync(id)] pub addressid: i32,
            pub addressline1: String,
            pub addressline2: Option<String>,
            pub city: String,
            pub stateprovinceid: i32,
            pub postalcode: String,
            pub spatiallocation: Option<Vec<u8>>,
            pub rowguid: Uuid,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = businessentity)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct BusinessEntity {
            #[sync(id)] pub businessentityid: i32,
            pub rowguid: Uuid,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = countryregion)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct CountryRegion {
            #[sync(id)] pub countryregioncode: String,
            pub name: String,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = personphone)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct PersonPhone {
            #[sync(id)] pub businessentityid: i32,
            #[sync(id)] pub phonenumber: String,
            #[sync(id)] pub phonenumbertypeid: i32,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = culture)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct Culture {
            #[sync(id)] pub cultureid: String,
            pub name: String,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = product)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct Product {
            #[sync(id)] pub productid: i32,
            pub name: String,
            pub productnumber: String,
            pub makeflag: bool,
            pub finishedgoodsflag: bool,
            pub color: Option<String>,
            pub safetystocklevel: i16,
            pub reorderpoint: i16,
            pub standardcost: BigDecimal,
            pub listprice: BigDecimal,
            pub size: Option<String>,
            pub sizeunitmeasurecode: Option<String>,
            pub weightunitmeasurecode: Option<String>,
            pub weight: Option<BigDecimal>,
            pub daystomanufacture: i32,
            pub productline: Option<String>,
            pub class: Option<String>,
            pub style: Option<String>,
            pub productsubcategoryid: Option<i32>,
            pub productmodelid: Option<i32>,
            pub sellstartdate: NaiveDateTime,
            pub sellenddate: Option<NaiveDateTime>,
            pub discontinueddate: Option<NaiveDateTime>,
            pub rowguid: Uuid,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = productmodel)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct ProductModel {
            #[sync(id)] pub productmodelid: i32,
            pub name: String,
            pub rowguid: Uuid,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = productmodelproductdescriptionculture)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct ModelDescription {
            #[sync(id)] pub productmodelid: i32,
            #[sync(id)] pub productdescriptionid: i32,
            #[sync(id)] pub cultureid: String,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = unitmeasure)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct UnitMeasure {
            #[sync(id)] pub unitmeasurecode: String,
            pub name: String,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = productvendor)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct ProductVendor {
            #[sync(id)] pub productid: i32,
            #[sync(id)] pub businessentityid: i32,
            pub averageleadtime: i32,
            pub standardprice: BigDecimal,
            pub lastreceiptcost: Option<BigDecimal>,
            pub lastreceiptdate: Option<NaiveDateTime>,
            pub minorderqty: i32,
            pub maxorderqty: i32,
            pub onorderqty: Option<i32>,
            pub unitmeasurecode: String,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = countryregioncurrency)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct CountryCurrency {
            #[sync(id)] pub countryregioncode: String,
            #[sync(id)] pub currencycode: String,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = salesterritoryhistory)]
        #[sync($($untracked,)? backends(postgres))]
        pub struct TerritoryHistory {
            #[sync(id)] pub businessentityid: i32,
            #[sync(id)] pub territoryid: i32,
            #[sync(id)] pub startdate: NaiveDateTime,
            pub enddate: Option<NaiveDateTime>,
            pub rowguid: Uuid,
            #[sync(last_synced_at)] pub modifieddate: NaiveDateTime,
        }

        pub type Tables = (
            Employee,
            DepartmentHistory,
            PayHistory,
            Shift,
            Address,
            BusinessEntity,
            CountryRegion,
            PersonPhone,
            Culture,
            Product,
            ProductModel,
            ModelDescription,
            UnitMeasure,
            ProductVendor,
            CountryCurrency,
            TerritoryHistory,
        );
        pub type Group = SyncGroup<Tables>;

        #[derive(Default)]
        pub struct Replica {
            pub employee: Rows<Employee>,
            pub employeedepartmenthistory: Rows<DepartmentHistory>,
            pub employeepayhistory: Rows<PayHistory>,
            pub shift: Rows<Shift>,
            pub address: Rows<Address>,
            pub businessentity: Rows<BusinessEntity>,
            pub countryregion: Rows<CountryRegion>,
            pub personphone: Rows<PersonPhone>,
            pub culture: Rows<Culture>,
            pub product: Rows<Product>,
            pub productmodel: Rows<ProductModel>,
            pub productmodelproductdescriptionculture: Rows<ModelDescription>,
            pub unitmeasure: Rows<UnitMeasure>,
            pub productvendor: Rows<ProductVendor>,
            pub countryregioncurrency: Rows<CountryCurrency>,
            pub salesterritoryhistory: Rows<TerritoryHistory>,
            pub token: Option<Token>,
        }

        impl Replica {
            pub fn sync(&mut self, conn: &mut PgConnection) -> Result<(), DownloadError> {
                let since = self.token.as_ref().map_or_else(Timestamps::default, Timestamps::from);
                let group = Group::scoped(&Everyone).assuming(STEADY);
                self.take(group.download(conn, since)?);
                Ok(())
            }

            pub fn take(&mut self, news: Response<Tables>) {
                self.token = Some(news.next());
                let (employee, employeedepartmenthistory, employeepayhistory, shift, address, businessentity, countryregion, personphone, culture, product, productmodel, productmodelproductdescriptionculture, unitmeasure, productvendor, countryregioncurrency, salesterritoryhistory) = news.into_tables();
                employee.apply(&mut self.employee);
                employeedepartmenthistory.apply(&mut self.employeedepartmenthistory);
                employeepayhistory.apply(&mut self.employeepayhistory);
                shift.apply(&mut self.shift);
                address.apply(&mut self.address);
                businessentity.apply(&mut self.businessentity);
                countryregion.apply(&mut self.countryregion);
                personphone.apply(&mut self.personphone);
                culture.apply(&mut self.culture);
                product.apply(&mut self.product);
                productmodel.apply(&mut self.productmodel);
                productmodelproductdescriptionculture.apply(&mut self.productmodelproductdescriptionculture);
                unitmeasure.apply(&mut self.unitmeasure);
                productvendor.apply(&mut self.productvendor);
                countryregioncurrency.apply(&mut self.countryregioncurrency);
                salesterritoryhistory.apply(&mut self.salesterritoryhistory);
            }

            /// What differs from what plain Diesel loads.
            pub fn differences(&self, conn: &mut PgConnection) -> QueryResult<Vec<String>> {
                let found = [
                    difference(&self.employee, employee::table.select(Employee::as_select()).load(conn)?),
                    difference(&self.employeedepartmenthistory, employeedepartmenthistory::table.select(DepartmentHistory::as_select()).load(conn)?),
                    difference(&self.employeepayhistory, employeepayhistory::table.select(PayHistory::as_select()).load(conn)?),
                    difference(&self.shift, shift::table.select(Shift::as_select()).load(conn)?),
                    difference(&self.address, address::table.select(Address::as_select()).load(conn)?),
                    difference(&self.businessentity, businessentity::table.select(BusinessEntity::as_select()).load(conn)?),
                    difference(&self.countryregion, countryregion::table.select(CountryRegion::as_select()).load(conn)?),
                    difference(&self.personphone, personphone::table.select(PersonPhone::as_select()).load(conn)?),
                    difference(&self.culture, culture::table.select(Culture::as_select()).load(conn)?),
                    difference(&self.product, product::table.select(Product::as_select()).load(conn)?),
                    difference(&self.productmodel, productmodel::table.select(ProductModel::as_select()).load(conn)?),
                    difference(&self.productmodelproductdescriptionculture, productmodelproductdescriptionculture::table.select(ModelDescription::as_select()).load(conn)?),
                    difference(&self.unitmeasure, unitmeasure::table.select(UnitMeasure::as_select()).load(conn)?),
                    difference(&self.productvendor, productvendor::table.select(ProductVendor::as_select()).load(conn)?),
                    difference(&self.countryregioncurrency, countryregioncurrency::table.select(CountryCurrency::as_select()).load(conn)?),
                    difference(&self.salesterritoryhistory, salesterritoryhistory::table.select(TerritoryHistory::as_select()).load(conn)?),
                ];
                Ok(found.into_iter().flatten().collect())
            }
        }
    };
}

pub mod tracked {
    models!();
}

pub mod untracked {
    models!(untracked);
}
